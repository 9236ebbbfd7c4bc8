"""A server that asks for input and waits to be called again (2026-07-28/basic/patterns/mrtr), for a host that can be
asked while its call is open. A host that speaks that era itself gets the question as it came, and comes back with the
answers by its own means.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from gateway.door.call import OWN_META_PREFIX
from gateway.door.host import NOBODY, Host, HostCannot
from gateway.errors import INTERNAL_ERROR
from gateway.upstream.questions import may_ask, their_own
from gateway.upstream.target import Effect, Reply, Resumed

MAX_ROUNDS = 10
"""Times one call is repeated with answers; the SDKs' own bound. A server that asks for ever is not served for ever."""
MAX_REQUESTS = 16
"""Questions in one round."""
FIRST_PAUSE_S, LAST_PAUSE_S = 0.05, 0.25
"""Seconds before a call is repeated that was asked nothing but to come again; doubled each time."""
_EMPTY = msgspec.Raw(b"{}")
_CANCEL = msgspec.Raw(b'{"action":"cancel"}')
_ENCODER = msgspec.json.Encoder()

Again = Callable[[Resumed], Awaitable[Reply]]


class _Asked(msgspec.Struct):
    method: str
    params: msgspec.Raw = _EMPTY


class _InputRequired(msgspec.Struct, rename="camel"):
    input_requests: dict[str, _Asked] = {}
    request_state: str | None = None


_READ = msgspec.json.Decoder(_InputRequired)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


async def in_rounds(reply: Reply, again: Again, host: Host) -> Reply:
    """A *waiting* reply -> the one that answers: ask, and send ``again`` with the answers, until there is one.

    ``again`` repeats the request with what goes beside the same parameters. *Waiting* is returned to a host that is
    asked by ``input_required``; who cannot be asked that gets *unknown*, for nobody knows what the server did before
    it asked.
    """
    pause_s = FIRST_PAUSE_S
    for _ in range(MAX_ROUNDS):
        asked = _read(reply, host)
        if asked is None:
            return not_carried(reply, "The server asks for input that this host did not declare.")
        if not host.asks_in_band:
            return _in_its_own_voice(reply, asked)
        answers = None
        if asked.input_requests:
            answers = await _answers(asked.input_requests, host)
            if answers is None:
                return not_carried(reply, "The server asks for input, and the host could not give it.")
        else:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)
        reply = await again(Resumed(request_state=asked.request_state, input_responses=answers))
        if reply.effect is not Effect.WAITING:
            return reply
    return not_carried(reply, "The server asks for input again and again.")


def _read(reply: Reply, host: Host) -> _InputRequired | None:
    """What is asked, less what only the gateway may say; None where this host may not be asked all of it."""
    if host is NOBODY or reply.result is None:
        return None
    try:
        asked = _READ.decode(reply.result)
        for one in asked.input_requests.values():
            one.params = their_own(one.params)
    except (ValueError, RecursionError):
        return None
    requests = asked.input_requests
    if len(requests) > MAX_REQUESTS or not (requests or asked.request_state is not None):
        return None
    if any(key.startswith(OWN_META_PREFIX) for key in requests):
        return None  # under such a key a host would answer the gateway
    allowed = all(may_ask(one.method, one.params, host.capabilities) for one in requests.values())
    return asked if allowed else None


def _in_its_own_voice(reply: Reply, asked: _InputRequired) -> Reply:
    """The question as it came, less what only the gateway may say: its host has it from us."""
    assert reply.result is not None
    came = bytes(reply.result)
    if OWN_META_PREFIX.encode() not in came and b"\\" not in came:
        return reply
    members: dict[str, Any] = dict(_MEMBERS.decode(came))
    if "inputRequests" not in members:
        return reply
    requests: dict[str, Any] = dict(_MEMBERS.decode(members["inputRequests"]))
    for key, one in asked.input_requests.items():
        requests[key] = {**_MEMBERS.decode(requests[key]), "params": one.params}
    result = msgspec.Raw(_ENCODER.encode({**members, "inputRequests": requests}))
    return msgspec.structs.replace(reply, result=result)


async def _answers(requests: Mapping[str, _Asked], host: Host) -> msgspec.Raw | None:
    """One answer for each question, in the server's own keys; None: one could not be had.

    They are put one after the other: a person answers one thing at a time.
    """
    answers: dict[str, msgspec.Raw] = {}
    for key, one in requests.items():
        try:
            answers[key] = await host.ask(one.method, one.params)
        except HostCannot:
            if one.method != "elicitation/create":
                return None
            # Neither accepted nor declined: nobody decided (2026-07-28/client/elicitation, response actions).
            answers[key] = _CANCEL
    return msgspec.Raw(_ENCODER.encode(answers))


def not_carried(reply: Reply, message: str) -> Reply:
    """A question that nobody is shown: how far the server went before it asked is not known."""
    error = {"code": INTERNAL_ERROR, "message": message}
    return Reply(effect=Effect.UNKNOWN, error=error, is_error=True, status=reply.status)
