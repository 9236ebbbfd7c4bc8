"""Whether an issuer still stands by a tool token (RFC 7662): asked after everything else was right."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import quote_plus

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.identity.credentials import Secret
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.fetch import FetchError

MAX_ANSWER_BYTES: Final = 64 * 1024


class FormPoster(Protocol):
    """Sends a form. :class:`~gateway.identity.fetch.HttpFetcher` is one."""

    async def post_form(
        self, url: str, form: dict[str, str], *, authorization: Secret | None = None
    ) -> bytes:
        """The body of a 200 answer. :raises FetchError:"""


class Introspection:
    """One issuer's endpoint. What it said is good for ``remember_s``: so long a revoked token may still verify.

    :raises ValueError: a URL that is neither https nor of this machine.
    """

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        fetcher: FormPoster,
        remember_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parse_endpoint(url)
        self._url = url
        # RFC 6749 section 2.3.1: both are form-encoded before they are joined.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
        self._authorization = Secret(b"Basic " + base64.b64encode(pair))
        self._fetcher = fetcher
        self._remember_s = remember_s
        self._clock = clock

    async def active_until(self, token: Secret) -> float:
        """Until when the answer *active* is good (unix seconds).

        :raises NotVerified: ``token_invalid_claims`` when it is not active; a transient code when nobody said.
        """
        # The age counts from the question: what was revoked while the answer was on its way is not young.
        asked_at = self._clock()
        form = {"token": token.expose().decode("ascii"), "token_type_hint": "access_token"}
        try:
            body = await self._fetcher.post_form(self._url, form, authorization=self._authorization)
        except FetchError as problem:
            raise NotVerified(
                _code(problem.status), "Token validation error: no introspection", definitive=False
            ) from None
        # "active": "true", or none at all, is not active: nobody knows what its author meant.
        try:
            answer = strict_json.parse(body)
        except MalformedRequest:
            answer = None
        if not isinstance(answer, dict) or answer.get("active") is not True:
            raise NotVerified(EtdiCode.TOKEN_INVALID_CLAIMS, "Token is not active")
        return asked_at + self._remember_s


def _code(status: int | None) -> EtdiCode:
    if status is None:
        return EtdiCode.NETWORK_ERROR
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return EtdiCode.PROVIDER_UNAVAILABLE
    return EtdiCode.CONFIG_INVALID  # our own client authentication, most likely
