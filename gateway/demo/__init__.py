"""The demo: a scripted agent plays its part through a real MCP client, and a table tells what happened."""
