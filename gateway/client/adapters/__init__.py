"""Agent frameworks: their kind of tool, with a handler that takes the secure way.

Each framework is imported when its tools are made. Every module has ``tools(specs, call)``, which makes them from MCP
definitions, and ``wrapped(tools, call)``, from tools that exist; names and input schemas stay what they were.
"""
