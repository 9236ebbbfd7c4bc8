"""PayPal as an MCP server of our own: 28 tools over PayPal's REST API.

``tools/*`` declare; ``definitions`` collects them; ``server`` answers MCP; ``call`` carries one call out;
``request`` turns declaration and arguments into one HTTP request; ``client`` and ``token`` talk to PayPal;
``outcome`` reads its answer; ``amounts`` and ``money`` know what it costs; ``simulator`` stands in for
PayPal. Adding a tool is one entry in ``tools/``.
"""
