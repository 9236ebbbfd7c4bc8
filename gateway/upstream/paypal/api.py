"""The HTTP leg as values and one Protocol: what is asked of PayPal, what came back. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

import msgspec


class ApiRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request. ``path`` is absolute, percent-encoded, free of dot segments; ``body`` is JSON."""

    method: Literal["GET", "POST", "PATCH"]
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    request_id: str | None = None
    prefer: bool = False


class ApiReply(msgspec.Struct, frozen=True, kw_only=True):
    """One answer, whatever its status. Header names are in lower case.

    ``complete`` is false when the body was larger than the client reads: then only the status is certain.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


class NotSent(Exception):
    """PayPal certainly did not get the request. The message is safe to show."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


class NoReply(Exception):
    """The request may have reached PayPal and nobody knows what became of it. The message is safe to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class PayPalApi(Protocol):
    """PayPal's REST API, authenticated."""

    async def send(self, request: ApiRequest) -> ApiReply:
        """Send it at most once (a second time only after a 401, which means that nothing was done).

        :raises NotSent: nothing left this host, or PayPal gave us no access token.
        :raises NoReply: a timeout or a broken connection after sending began.
        """
        ...

    async def aclose(self) -> None:
        """Close what is open. Idempotent."""
        ...
