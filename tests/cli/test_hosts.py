"""``countersign hosts``."""

import json

import pytest

from gateway.cli.hosts import snippets
from tests.cli.conftest import Run


@pytest.mark.parametrize("url", ["http://127.0.0.1:3000/mcp", "https://gateway.example/mcp"])
def test_each_host_gets_its_shape(url: str) -> None:
    """Remote servers by URL and header; Claude Desktop by a local bridge."""
    made = snippets(url, "t0ken")
    assert len(made) == 3
    for snippet in made.values():
        assert url in json.dumps(snippet)
        assert "Bearer t0ken" in json.dumps(snippet)


def test_they_can_be_pasted(run: Run) -> None:
    """Every block that is printed is JSON; --json is all of them."""
    ran = run("hosts", "--token", "t0ken")
    blocks = [block.split("\n", 1)[1] for block in ran.out.strip().split("\n\n")]
    assert [json.loads(block) for block in blocks] == list(
        snippets("http://127.0.0.1:3000/mcp", "t0ken").values()
    )
    assert list(run("hosts", "--token", "t0ken", "--json").document.values()) == [
        json.loads(one) for one in blocks
    ]
