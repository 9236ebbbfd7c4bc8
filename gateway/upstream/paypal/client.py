"""PayPal's REST API over httpx: bearer token, bounds, deadlines; each request is sent once."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

import httpx

from gateway.upstream.paypal.api import ApiReply, ApiRequest, NoReply, NotSent
from gateway.upstream.paypal.token import (
    TOKEN_PATH,
    ClientCredentials,
    ClientCredentialsToken,
    StaticToken,
    TokenSource,
)

SANDBOX = "https://api-m.sandbox.paypal.com"
PRODUCTION = "https://api-m.paypal.com"
_USER_AGENT = "countersign-paypal/1.0"
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds and bytes. ``whole`` bounds one exchange from first to last byte, whatever trickles in."""

    connect: float = 5.0
    read: float = 30.0
    whole: float = 60.0
    response_bytes: int = 4 * 1024 * 1024


DEFAULT_LIMITS = Limits()


def checked_base_url(url: str) -> str:
    """The URL if it is https, or plain http to this very host or to a bare name. :raises ValueError:

    A bare name is a service of the same private network (compose): it does not resolve on the internet. A bearer
    token must not travel in the clear, nor to a host somebody slipped in before an ``@``.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/"):
        raise ValueError("PayPal's base URL must be scheme://host[:port] and nothing more")
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and _is_near(host))):
        raise ValueError("PayPal's base URL must be https, or http to a loopback address or a service name")
    return f"{parts.scheme}://{parts.netloc}"


class PayPalClient:
    """:class:`.api.PayPalApi` over HTTP. Owns ``http`` and closes it."""

    def __init__(
        self, http: httpx.AsyncClient, base_url: str, tokens: TokenSource, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._http = http
        self._base = checked_base_url(base_url)
        self._tokens = tokens
        self._limits = limits

    async def send(self, request: ApiRequest) -> ApiReply:
        """See :class:`.api.PayPalApi`. After a 401 a new token is fetched, once."""
        token = await self._tokens.token()
        reply = await self._exchange(request, token)
        if reply.status == 401:
            if not self._tokens.rejected(token):
                raise NotSent("AUTHENTICATION_FAILURE", "PayPal does not accept the configured access token.")
            token = await self._tokens.token()
            reply = await self._exchange(request, token)
        return reply

    async def aclose(self) -> None:
        """Close the connections. Idempotent."""
        await self._http.aclose()

    async def _exchange(self, request: ApiRequest, token: str) -> ApiReply:
        url = self._url(request)
        try:
            async with asyncio.timeout(self._limits.whole):
                async with self._http.stream(
                    request.method, url, content=request.body, headers=_headers(request, token)
                ) as response:
                    body, complete = await self._read(response)
        except _NEVER_SENT as error:
            raise NotSent("NOT_CONNECTED", "PayPal could not be reached. Nothing was sent.") from error
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            raise NoReply("PayPal did not answer.") from error
        headers = {
            name.lower(): self._header_without_secrets(value) for name, value in response.headers.items()
        }
        status = response.status_code
        return ApiReply(status=status, headers=headers, body=self._without_secrets(body), complete=complete)

    def _url(self, request: ApiRequest) -> httpx.URL:
        target = request.path + (f"?{urlencode(request.query)}" if request.query else "")
        url = httpx.URL(self._base + target)
        if url.raw_path != target.encode("ascii"):  # somebody normalised what was judged
            raise NotSent("UNSAFE_PATH", "The request's path would not arrive as it was built.")
        return url

    async def _read(self, response: httpx.Response) -> tuple[bytes, bool]:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._limits.response_bytes:
                return b"", False
        return bytes(body), True

    def _without_secrets(self, body: bytes) -> bytes:
        """An upstream that echoes our Authorization header must not hand the token to the model."""
        for secret in self._tokens.secrets():
            body = body.replace(secret.encode(), b"[redacted]")
        return body

    def _header_without_secrets(self, value: str) -> str:
        return self._without_secrets(value.encode("latin-1", "replace")).decode("latin-1")


def connect(
    base_url: str,
    *,
    credentials: Callable[[], ClientCredentials] | None = None,
    access_token: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    use_environment_proxy: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> PayPalClient:
    """A client with either client credentials or a fixed access token. Opens nothing yet. :raises ValueError:

    ``use_environment_proxy`` is off: HTTPS_PROXY in somebody's shell must not see PayPal's tokens unasked.
    """
    base = checked_base_url(base_url)
    timeout = httpx.Timeout(limits.read, connect=limits.connect, pool=limits.connect)
    http = httpx.AsyncClient(
        timeout=timeout,
        follow_redirects=False,
        trust_env=use_environment_proxy,
        transport=transport,
        headers={"user-agent": _USER_AGENT},
    )
    tokens: TokenSource
    if credentials is not None and access_token is None:
        tokens = ClientCredentialsToken(http, base + TOKEN_PATH, credentials)
    elif access_token and credentials is None:
        tokens = StaticToken(access_token)
    else:
        raise ValueError("PayPal needs either client credentials or an access token, and not both")
    return PayPalClient(http, base, tokens, limits=limits)


def _headers(request: ApiRequest, token: str) -> dict[str, str]:
    # identity: a compressed answer could be a thousand times larger than what the bound has seen
    headers = {
        "authorization": f"Bearer {token}",
        "accept": "application/json",
        "accept-encoding": "identity",
    }
    if request.body is not None:
        headers["content-type"] = "application/json"
    if request.request_id is not None:
        headers["paypal-request-id"] = request.request_id
    if request.prefer:
        headers["prefer"] = "return=representation"
    return headers


def _is_near(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return "." not in host
