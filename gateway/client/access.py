"""How a request to the gateway shows who asks; the simplest way: a fixed token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import httpx

from gateway.client.login.values import Secret


class Access(Protocol):
    """Credentials for requests to the gateway."""

    async def headers(self, method: str, url: str) -> dict[str, str]:
        """What goes with a request. :raises BridgeError: no credential can be had."""
        ...

    async def refused(self, sent: Mapping[str, str], response: httpx.Response) -> bool:
        """The gateway answered 401 or 403 to a request with the headers ``sent``: whether to send it again now.

        :raises BridgeError: a better credential was needed and could not be had.
        """
        ...


class FixedToken:
    """A bearer token from the environment or the keyring. There is nothing to renew."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    async def headers(self, method: str, url: str) -> dict[str, str]:  # noqa: ARG002 - the protocol's shape
        """The Authorization header (RFC 6750 section 2.1)."""
        return {"authorization": f"Bearer {self._token.expose()}"}

    async def refused(self, sent: Mapping[str, str], response: httpx.Response) -> bool:  # noqa: ARG002
        """Never: the same token would be refused again."""
        return False
