"""``countersign connect``: what is refused before anything is bridged; tests/client has the rest."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "arguments",
    [
        ("http://gateway.example/mcp",),
        ("not-a-url",),
        ("https://gateway.example/mcp", "--server", "../x"),
        ("https://gateway.example/mcp", "--login", "--logout"),
        ("https://gateway.example/mcp", "--patience", "-1"),
        (),
    ],
)
def test_unusable_input_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    """With 2 and one line; a token would travel in clear, or nobody would know where to."""
    ran = run("connect", *arguments)
    assert ran.code == 2
    assert ran.out == ""


def test_a_named_variable_must_hold_the_token(run: Run) -> None:
    """It is the host's configuration that is wrong, and this says so at once."""
    ran = run("connect", "https://gateway.example/mcp", "--token-env", "NOT_THERE")
    assert ran.code == 2
    assert "NOT_THERE" in ran.err


def test_help_says_how_it_signs_in(run: Run) -> None:
    """And that standard output is the protocol's."""
    said = " ".join(run("connect", "--help").out.split())
    assert "Standard output carries MCP and nothing else" in said
    assert "--device" in said
