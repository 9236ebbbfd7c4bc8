"""An agent behind a webhook: the request is signed, and so must be the answer, for exactly this request.

The answer is a JSON object ``{id, nonce, view_hash, decision, at}`` and perhaps ``reason``, signed like the request
with the request's own ``webhook-id``. Attacks: an answer that was given to another call, or to this one yesterday
(``id`` and ``nonce`` are of this one exchange and nowhere else); our own request, sent back (it is no answer).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Annotated, Final

import msgspec

from gateway.agents.case import Case
from gateway.agents.exchange import Posts, Received
from gateway.agents.said import Decision, Failure, NoAnswer, Said, reason_of
from gateway.agents.signature import TOLERANCE_S, BadSignature, check_signed, signed
from gateway.door.strict_json import parse
from gateway.errors import MalformedRequest

REQUESTED: Final = "confirmation.requested"
NONCE_BYTES: Final = 32
_OK = 200
_Short = Annotated[str, msgspec.Meta(max_length=128)]


class _Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: _Short
    nonce: _Short
    view_hash: _Short
    decision: Decision
    at: int
    reason: Annotated[str, msgspec.Meta(max_length=4096)] = ""


class WebhookAgent:
    """Asks over one exchange. ``key`` is the secret that both sides know; ``now`` is unix seconds."""

    def __init__(self, name: str, exchange: Posts, key: bytes, *, now: Callable[[], float]) -> None:
        self.name = name
        self._exchange = exchange
        self._key = key
        self._now = now

    async def ask(self, case: Case) -> Said:
        """See :class:`~gateway.agents.said.Agent`."""
        message_id, nonce, at = (
            f"cfm_{secrets.token_hex(16)}",
            secrets.token_hex(NONCE_BYTES),
            int(self._now()),
        )
        data = {"id": message_id, "nonce": nonce, **msgspec.structs.asdict(case)}
        body = msgspec.json.encode({"type": REQUESTED, "timestamp": at, "data": data})
        received = await self._exchange.post(body, signed(self._key, message_id, at, body))
        answer = self._read(received, message_id)
        if not (_same(answer.id, message_id) and _same(answer.nonce, nonce)):
            raise NoAnswer(Failure.ANOTHER_CALL)
        if not _same(answer.view_hash, case.view_hash):
            raise NoAnswer(Failure.ANOTHER_VIEW)
        if abs(self._now() - answer.at) > TOLERANCE_S:
            raise NoAnswer(Failure.STALE)
        return Said(decision=answer.decision, reason=reason_of(answer.reason))

    async def aclose(self) -> None:
        """See :class:`~gateway.agents.said.Agent`."""
        await self._exchange.aclose()

    def _read(self, received: Received, message_id: str) -> _Answer:
        """The answer, signed for this request and well-formed. :raises NoAnswer:"""
        if received.status != _OK:
            raise NoAnswer(Failure.HTTP_STATUS)
        try:
            said_of = check_signed(self._key, received.headers, received.body, now=self._now())
        except BadSignature:
            raise NoAnswer(Failure.BAD_SIGNATURE) from None
        if not _same(said_of, message_id):
            raise NoAnswer(Failure.ANOTHER_CALL)
        try:
            return msgspec.convert(parse(received.body), _Answer)
        except (MalformedRequest, msgspec.ValidationError):
            raise NoAnswer(Failure.UNREADABLE) from None


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
