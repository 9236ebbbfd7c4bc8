"""What it costs to import the client."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SERVER_ONLY = (
    "starlette",
    "uvicorn",
    "redis",
    "regopy",
    "jsonschema_rs",
    "jinja2",
    "mcp",
    "pydantic",
    "gateway.app",
    "gateway.door",
    "gateway.outcome",
    "gateway.upstream",
)
EVERYTHING = """
import gateway.client
for name in gateway.client.__all__:
    getattr(gateway.client, name)
gateway.client.data_class_of("create_refund")
import gateway.client.adapters.crewai, gateway.client.adapters.langchain, gateway.client.adapters.mcp
import gateway.client.adapters.openai_agents, gateway.client.adapters.pydantic_ai
"""


@pytest.mark.parametrize("program", ["import gateway.client", EVERYTHING], ids=["the package", "every name"])
def test_the_client_does_not_load_the_server(program: str) -> None:
    """In a new process; and the bare import, which the bridge makes too, loads not even httpx."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport json, sys; print(json.dumps(list(sys.modules)))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    loaded = set(json.loads(printed))
    assert loaded.isdisjoint(SERVER_ONLY)
    if program == "import gateway.client":
        assert loaded.isdisjoint({"httpx", "msgspec", "yaml"})


def test_a_name_that_is_none_is_an_error() -> None:
    """And no import of something else."""
    import gateway.client

    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gateway.client.nothing
