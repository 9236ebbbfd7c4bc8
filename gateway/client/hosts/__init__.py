"""The settings files of MCP hosts: what belongs into them, where they are, and how to change them without harm."""
