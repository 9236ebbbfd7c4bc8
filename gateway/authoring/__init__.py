"""For those who write MCP servers: tools that carry a signed, versioned definition with a token of their own (ETDI).

::

    server = SecureServer("files", etdi=Etdi(provider=..., oauth=..., history=...))

    @server.tool(permissions=["filesystem:read:/data"])
    def read(path: str) -> str: ...

Start with ``server.py``. This package needs ``mcp``, ``msgspec``, ``rfc8785``, ``pyjwt``, ``cryptography`` and
``httpx``; nothing of the gateway that serves calls is loaded with it.
"""
