"""Real MCP clients at the gateway."""
