"""Every request of a host that is no tool call and no list of tools: judged, recorded, and handed to its server.

Beside the walk: reading a resource or a prompt moves nothing, but it tells something, so it too is a question to the
policy (``data.gateway.passage``), and what no rule lets pass does not reach the server. The streams on which a server
speaks on its own account are judged once, when they are opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.canonical import canonical_hash
from gateway.door.call import Client, Era
from gateway.door.host import Host
from gateway.errors import (
    INVALID_PARAMS,
    CountersignError,
    MalformedRequest,
    PolicyUnavailable,
    TokenRefused,
    UnknownTool,
    UpstreamUnavailable,
)
from gateway.identity.caller import Caller
from gateway.identity.credentials import Credentials
from gateway.outcome.allow import state_of
from gateway.outcome.pending import Binding, Continuation
from gateway.policy.decision import Allow, Decision
from gateway.policy.question import ConsentFacts, PassageFacts
from gateway.upstream.target import Effect, Reply, Resumed, Upstream
from gateway.walk import House

LISTEN: Final = "subscriptions/listen"
"""How both eras' streams of a server's own are named to the policy."""
_TARGETS: Final[Mapping[str, str]] = {
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
    "prompts/get": "name",
}
"""What a request is about, where it is about one thing."""
PASSED: Final = frozenset(_TARGETS) | {
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "completion/complete",
    "logging/setLevel",
}
"""The methods of MCP that are handed on. Any other is not served: a policy judges what somebody has read about."""
GONE_IN_MODERN: Final = frozenset({"resources/subscribe", "resources/unsubscribe", "logging/setLevel"})
"""Methods that 2026-07-28 no longer has (changelog)."""
SUBSCRIBE: Final = "resources/subscribe"
MAX_SUBSCRIPTIONS = 100
"""Resources of one ``subscriptions/listen``: each is a question to the policy."""
MAX_TARGET_CHARS = 2_048
"""Characters of a URI or a name; what is longer is not something a rule was written for."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One such request. ``params`` are the host's own; ``token`` and ``input_responses`` bring back a second round."""

    call_id: str
    received_at: float
    server: str
    method: str
    params: dict[str, Any]
    era: Era
    protocol: str
    client: Client
    credentials: Credentials
    token: str | None = None
    input_responses: dict[str, Any] = {}

    @property
    def target(self) -> str | None:
        """The resource or prompt it names. :raises MalformedRequest: it should name one, and does not."""
        member = _TARGETS.get(self.method)
        if member is None:
            return None
        named = self.params.get(member)
        if not isinstance(named, str) or not 1 <= len(named) <= MAX_TARGET_CHARS:
            raise MalformedRequest(
                f"params.{member} is a text of 1 to {MAX_TARGET_CHARS} characters.",
                code="door.params",
                rpc_code=INVALID_PARAMS,
            )
        return named


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """How the server answered; ``token`` is set where it asks for more (``Effect.WAITING``)."""

    reply: Reply
    token: str | None = None


class NotPassed(CountersignError):
    """The policy did not let the request pass. The server has not seen it."""

    code = "passage.refused"
    http_status = 200  # a proper request, properly answered: with a no
    rpc_code = 4031


async def pass_request(request: Request, house: House, host: Host) -> Passed:
    """Judge one request and hand it on.

    :raises NotPassed: the policy said no, or nothing. :raises TokenRefused: as for a call.
    :raises UpstreamUnavailable: the server gave no answer.
    """
    async with house.books.passage(
        call_id=request.call_id, server=request.server, method=request.method, era=request.era
    ) as book:
        target = request.target
        upstream = upstream_of(house, request.server)
        caller = book.caller(await house.identity.identify(request.credentials))
        binding = _binding(caller, request)
        before = await _before(house, request, binding)
        decision = await _judged(house, request, caller, target)
        book.judged(decision)
        if not isinstance(decision, Allow):
            raise _no(decision)
        await book.before_upstream(durable=False)
        reply = await upstream.request(request.method, request.params, host=host, resumed=before)
        book.upstream(reply)
        token = None
        if reply.effect is Effect.WAITING:
            if reply.result is None or not request.client.can_input_required:
                raise UpstreamUnavailable(
                    f"The server {request.server!r} asks for more, which this host has no means to give."
                )
            token = await house.waiting.grant_continuation(
                binding,
                Continuation(facts=ConsentFacts(), request_state=_state(reply.result, request.server)),
                transaction_id=request.call_id,
                revision=decision.revision,
            )
        book.passed(reply)
        return Passed(reply=reply, token=token)


async def open_stream(request: Request, house: House) -> tuple[Upstream, Caller]:
    """Judge a stream of the server's own before it is opened; its server, and whose it is.

    Errors as of :func:`pass_request`.
    """
    async with house.books.passage(
        call_id=request.call_id, server=request.server, method=LISTEN, era=request.era
    ) as book:
        upstream = upstream_of(house, request.server)
        caller = book.caller(await house.identity.identify(request.credentials))
        decision = await _judged(house, request, caller, None)
        for subscribing in _subscribing(request):
            # Attack: what no rule lets this caller subscribe to by its own name, asked for under another one.
            if isinstance(decision, Allow):
                decision = await _judged(house, subscribing, caller, subscribing.target)
        book.judged(decision)
        if not isinstance(decision, Allow):
            raise _no(decision)
        book.passed(None)
        return upstream, caller


def upstream_of(house: House, server: str) -> Upstream:
    """The target of that name. :raises UnknownTool: ``catalog.unknown_server``."""
    upstream = house.upstreams.get(server)
    if upstream is None:
        raise UnknownTool(
            f"There is no server {server[:64]!r} behind this gateway.", code="catalog.unknown_server"
        )
    return upstream


def _subscribing(request: Request) -> list[Request]:
    """The resources of a ``subscriptions/listen``, each as the request it would be in the older era.

    :raises MalformedRequest: no list, or more than :data:`MAX_SUBSCRIPTIONS`.
    """
    wanted = request.params.get("notifications")
    uris = wanted.get("resourceSubscriptions") if isinstance(wanted, dict) else None
    if uris is None:
        return []
    if not isinstance(uris, list) or len(uris) > MAX_SUBSCRIPTIONS:
        raise MalformedRequest(
            f"params.notifications.resourceSubscriptions is a list of at most {MAX_SUBSCRIPTIONS}.",
            code="door.params",
            rpc_code=INVALID_PARAMS,
        )
    return [msgspec.structs.replace(request, method=SUBSCRIBE, params={"uri": uri}) for uri in uris]


async def _judged(house: House, request: Request, caller: Caller, target: str | None) -> Decision:
    killed = None if house.kills is None else house.kills.stops_caller(caller)
    return killed or await house.policy.passes(
        PassageFacts(
            id=request.call_id,
            time=int(request.received_at),
            server=request.server,
            method=request.method,
            target=target,
            protocol=request.protocol,
            era=request.era,
            client=request.client,
        ),
        caller,
    )


async def _before(house: House, request: Request, binding: Binding) -> Resumed | None:
    """What a second round brings back. :raises TokenRefused: it does not belong to this very request."""
    state = None
    if request.token is not None:
        granted = await house.waiting.present(request.token)
        if granted is None:
            raise TokenRefused("Invalid or expired token", code="handshake.token_unknown")
        if granted.binding != binding or granted.continuation is None:
            raise TokenRefused("Transaction mismatch", code="handshake.mismatch")
        state = granted.continuation.request_state
    responses = request.input_responses
    if request.token is None and not responses:
        return None
    answers = msgspec.Raw(msgspec.json.encode(responses)) if responses else None
    return Resumed(request_state=state, input_responses=answers)


def _binding(caller: Caller, request: Request) -> Binding:
    """A second round is the same request of the same caller; the method stands where a tool's name would."""
    sent = {key: value for key, value in request.params.items() if key != "_meta"}
    try:
        arguments_hash = canonical_hash(sent)
    except ValueError as problem:
        raise MalformedRequest(f"params is {problem}.", code="door.params", rpc_code=INVALID_PARAMS) from None
    return Binding(
        principal=caller.principal,
        server=request.server,
        tool=request.method,
        definition_hash="",
        arguments_hash=arguments_hash,
    )


def _state(result: msgspec.Raw, server: str) -> str | None:
    """:raises UpstreamUnavailable: nobody could come back with a state like that."""
    try:
        return state_of(result)
    except ValueError as problem:
        raise UpstreamUnavailable(
            f"The server {server!r} asks with a requestState that is {problem}."
        ) from None


def _no(decision: Decision) -> CountersignError:
    """The first reason that forbids, as an error; a dead engine keeps its own code."""
    reason = decision.reasons[0]
    said = f"Refused by policy, nothing was sent. {reason.message} {reason.remedy}"
    if reason.code.startswith("policy."):
        return PolicyUnavailable(said, code=reason.code)
    return NotPassed(said, code=reason.code)
