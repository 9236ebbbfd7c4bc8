"""Countersign: a policy-engine-driven gateway between MCP clients and PayPal.

Read ``walk.py`` first: one tool call, room by room. The rooms, in the order a call passes them:

=============  =====================================================================================
``door``       bytes -> ``ToolCall``: framing, size, depth, duplicate keys, protocol era. Answers -> bytes.
``identity``   who asks: bearer token -> ``Caller``.
``catalog``    what is asked for: the tool definition as it is now, its hash, its approval.
``policy``     may they: ``Question`` -> ``Decision``. Asks OPA, or the embedded engine.
``outcome``    carry it out: allow, handshake, confirm, deny; ``pending`` keeps what waits.
``upstream``   the target: PayPal through our own MCP adapter, or any MCP server.
``audit``      opened before the first room, closed after the last, whatever happens.
=============  =====================================================================================

Beside the walk: ``state`` (SQLite or Redis), ``http1`` (the lean HTTP client of the call path), ``console``
(where people decide), ``app.py`` (the only place that wires), ``settings.py``, ``errors.py``, ``cli``.
"""
