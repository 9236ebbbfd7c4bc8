"""Finding out how a server is talked to: ``server/discover`` (2026-07-28), else ``initialize`` (all before).

2026-07-28/basic/versioning, backward compatibility: the probe comes first, and a server that does not know it may say
so in any way, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.door.protocol import LEGACY, MODERN
from gateway.errors import UNSUPPORTED_PROTOCOL_VERSION
from gateway.upstream.line import Line, Unanswered
from gateway.upstream.target import About, Reply

Says = Callable[[Mapping[str, Any], Era], Mapping[str, Any]]
"""The capabilities of a handshake -> the same with what the gateway says of itself."""


async def open_line(
    line: Line,
    host: Host,
    *,
    client: Mapping[str, str],
    era: Era | None,
    probe_s: float | None = None,
    says: Says | None = None,
) -> None:
    """Agree with the server. ``era`` is known from an earlier conversation with it, or None; ``host`` is whose
    credential opens it. ``probe_s`` bounds the wait for a server that does not answer what it does not know. ``says``
    adds to the capabilities; the server may ask no more for it.

    :raises Unsent: :raises Unanswered: no way to talk was found.
    """
    silent = _Silent(host, {} if says is None else says({}, Era.MODERN))
    if era is not Era.LEGACY and await _discovered(line, silent, probe_s):
        return
    declared = line.declared if says is None else says(line.declared, Era.LEGACY)
    refusal = await _initialized(line, host, client, declared)
    if refusal is None:
        return
    # A server that was slow to start has understood the probe by now, and is of the new era since.
    if _code(refusal) == UNSUPPORTED_PROTOCOL_VERSION and await _discovered(line, silent, None):
        return
    raise Unanswered("speaks no version that this gateway speaks", status=refusal.status)


async def _discovered(line: Line, silent: _Silent, probe_s: float | None) -> bool:
    line.propose(Era.MODERN, MODERN[0])
    try:
        reply = await line.exchange("server/discover", {}, silent, timeout_s=probe_s)
        if _offers(reply, MODERN[0]):
            # It refused a version and names the very same as one it speaks: once more, as versioning wants it.
            reply = await line.exchange("server/discover", {}, silent, timeout_s=probe_s)
    except Unanswered:
        return False
    result = result_of(reply)
    versions = result.get("supportedVersions") if result is not None else None
    if result is None or not isinstance(versions, list) or MODERN[0] not in versions:
        return False
    line.agree(_about(Era.MODERN, MODERN[0], result))
    return True


async def _initialized(
    line: Line, host: Host, client: Mapping[str, str], declared: Mapping[str, Any]
) -> Reply | None:
    """None: it is open. :raises Unanswered:"""
    line.propose(Era.LEGACY, LEGACY[0])
    params = {"protocolVersion": LEGACY[0], "capabilities": declared, "clientInfo": client}
    reply = await line.exchange("initialize", params, _Silent(host, {}))
    result = result_of(reply)
    if result is None or result.get("protocolVersion") not in LEGACY:
        return reply
    line.agree(_about(Era.LEGACY, result["protocolVersion"], result))
    await line.tell("notifications/initialized", {}, host)
    return None


def result_of(reply: Reply) -> dict[str, Any] | None:
    """The result that was given, read; None: there is none, or it cannot be."""
    if reply.result is None:
        return None
    try:
        return msgspec.json.decode(reply.result, type=dict[str, Any])
    except (ValueError, RecursionError):
        return None


def _offers(reply: Reply, version: str) -> bool:
    """Whether a refused version comes with this one as supported (2026-07-28/basic/versioning)."""
    data = None if reply.error is None else reply.error.get("data")
    supported = data.get("supported") if isinstance(data, dict) else None
    refused = _code(reply) == UNSUPPORTED_PROTOCOL_VERSION
    return refused and isinstance(supported, list) and version in supported


def _code(reply: Reply) -> Any:
    return None if reply.error is None else reply.error.get("code")


def _about(era: Era, protocol: str, result: Mapping[str, Any]) -> About:
    capabilities, instructions = result.get("capabilities"), result.get("instructions")
    return About(
        era=era,
        protocol=protocol,
        capabilities=capabilities if isinstance(capabilities, dict) else {},
        instructions=instructions if isinstance(instructions, str) else None,
    )


class _Silent:
    """A host for whom something is opened: its key and credential, and nothing said or asked before it is open."""

    def __init__(self, host: Host, capabilities: Mapping[str, Any]) -> None:
        self.key = host.key
        self.subject_token = host.subject_token
        self.capabilities = capabilities
        self.asks_in_band = False
        self.notify = NOBODY.notify
        self.ask = NOBODY.ask
