"""``countersign hosts``: what to paste into an MCP host."""

from __future__ import annotations

import json
from typing import Any

import click

from gateway.cli.common import json_option


def snippets(url: str, token: str) -> dict[str, dict[str, Any]]:
    """Host -> the JSON for its settings file. Claude Desktop starts local commands only, so it bridges."""
    header = f"Authorization: Bearer {token}"
    bridge = {"command": "npx", "args": ["-y", "mcp-remote", url, "--header", header, "--allow-http"]}
    remote = {"url": url, "headers": {"Authorization": f"Bearer {token}"}}
    return {
        "Claude Desktop (claude_desktop_config.json)": {"mcpServers": {"paypal": bridge}},
        "Cursor (~/.cursor/mcp.json)": {"mcpServers": {"paypal": remote}},
        "VS Code (.vscode/mcp.json)": {"servers": {"paypal": {"type": "http", **remote}}},
    }


@click.command()
@click.option("--url", default="http://127.0.0.1:3000/mcp", show_default=True, help="The gateway's MCP URL.")
@click.option("--token", default="YOUR_TOKEN", show_default=True, help="The bearer token of the host.")
@json_option
def hosts(url: str, token: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """Print the JSON to paste into Claude Desktop, Cursor and VS Code."""
    if as_json:
        click.echo(json.dumps(snippets(url, token)))
        return
    for name, snippet in snippets(url, token).items():
        click.echo(f"{name}\n{json.dumps(snippet, indent=2)}\n")
