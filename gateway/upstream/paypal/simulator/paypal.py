"""The simulated PayPal itself: token, idempotent replay, operation, Prefer, error shape. No transport
here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from gateway.upstream.paypal.simulator import billing, orders, seeds
from gateway.upstream.paypal.simulator.exchange import (
    Answer,
    Asked,
    RecordedCall,
    Refusal,
    invalid,
    not_found,
)
from gateway.upstream.paypal.simulator.faults import Faults
from gateway.upstream.paypal.simulator.ledger import Ledger, Resource
from gateway.upstream.paypal.simulator.oauth import TokenDesk
from gateway.upstream.paypal.simulator.routes import route_of

CLIENT_ID = "simulator-client"
CLIENT_SECRET = "simulator-secret"  # noqa: S105 - opens nothing but the simulator


class Sent(NamedTuple):
    """An answer on its way out."""

    status: int
    content_type: str
    body: bytes
    debug_id: str


class PayPalSimulator:
    """All of it in memory. ``clock`` gives unix seconds; ``lifetime`` is that of access tokens, in seconds.

    ``strict_request_id``: an order with a payment source needs a PayPal-Request-Id, as the live API is said
    to want.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        strict_request_id: bool = False,
        client_id: str = CLIENT_ID,
        client_secret: str = CLIENT_SECRET,
        lifetime: int = 32_400,
        base_url: str = "https://api-m.sandbox.paypal.com",
    ) -> None:
        self._clock = clock
        self._strict = strict_request_id
        self._base_url = base_url
        self.tokens = TokenDesk(client_id, client_secret, lifetime, clock)
        self.faults = Faults()
        self.calls: list[RecordedCall] = []
        self.ledger = Ledger(clock)
        self._replays: dict[tuple[str, str, str], Answer] = {}
        self._debug_ids = 0
        self.reset()

    def reset(self) -> None:
        """Back to the seeds. Access tokens stay valid."""
        self.ledger = Ledger(self._clock)
        self.faults.clear()
        self.calls.clear()
        self._replays.clear()
        seeds.plant(self.ledger, self._base_url)

    def approve_order(self, order_id: str) -> Resource:
        """The buyer approves. :raises KeyError:"""
        return orders.approve(self.ledger, order_id)

    def approve_subscription(self, subscription_id: str) -> Resource:
        """The subscriber approves. :raises KeyError:"""
        return billing.approve_subscription(self.ledger, subscription_id)

    def answer(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Sent:
        """One API request -> its answer, with its effect. Header names in lower case; ``path`` undecoded."""
        refusal = self.tokens.refusal(headers.get("authorization", ""))
        if refusal is not None:
            return self.encoded(401, refusal)
        request_id = headers.get("paypal-request-id")
        try:
            answer, repeated = self._carried_out(method, path, query, request_id, body)
        except Refusal as no:
            debug_id = self._debug_id()
            return self._sent(no.status, no.body(debug_id), debug_id)
        status = (answer.repeat_status or answer.status) if repeated else answer.status
        if answer.raw is not None:
            return Sent(status, answer.raw[0], answer.raw[1], self._debug_id())
        full = "return=representation" in headers.get("prefer", "")
        return self.encoded(status, answer.resource if full else _projected(answer))

    def encoded(self, status: int, body: Any) -> Sent:
        """A JSON answer with a debug id."""
        return self._sent(status, body, self._debug_id())

    def _carried_out(
        self, method: str, path: str, query: Mapping[str, str], request_id: str | None, body: bytes
    ) -> tuple[Answer, bool]:
        found = route_of(method, path)
        if found is None:
            raise not_found()
        route, ids = found
        key = (method, path, request_id or "")
        if route.replays and request_id and key in self._replays:
            return self._replays[key], True
        asked = Asked(ids=ids, query=query, body=_parsed(body), base_url=self._base_url)
        self._check_request_id(path, asked, request_id)
        answer = route.handler(self.ledger, asked)
        if route.replays and request_id:
            self._replays[key] = answer
        return answer, False

    def _check_request_id(self, path: str, asked: Asked, request_id: str | None) -> None:
        pays = isinstance(asked.body, dict) and "payment_source" in asked.body
        if self._strict and path == "/v2/checkout/orders" and pays and not request_id:
            raise invalid("PAYPAL_REQUEST_ID_REQUIRED")

    def _debug_id(self) -> str:
        self._debug_ids += 1
        return f"f{self._debug_ids:012x}"

    def _sent(self, status: int, body: Any, debug_id: str) -> Sent:
        encoded = b"" if body is None else msgspec.json.encode(body)
        return Sent(status, "application/json", encoded, debug_id)


def _parsed(body: bytes) -> Any:
    if not body:
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid("MALFORMED_REQUEST_JSON") from None


def _projected(answer: Answer) -> Resource | None:
    if answer.resource is None or answer.minimal is None:
        return answer.resource
    return {name: value for name, value in answer.resource.items() if name in answer.minimal}
