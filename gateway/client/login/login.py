"""A whole sign-in: find the server, choose the flow, bring the tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from gateway.client.login.browser import sign_in
from gateway.client.login.challenge import Challenge
from gateway.client.login.device import sign_in_elsewhere
from gateway.client.login.discovery import find_resource, find_server
from gateway.client.login.dpop import Prover
from gateway.client.login.tokens import TokenEndpoint
from gateway.client.login.values import Tokens, merged
from gateway.client.login.web import Web

OFFLINE: Final = "offline_access"


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """What the person at the host wants."""

    client_id: str | None = None
    device: bool = False
    browser: bool = True
    """A page can be opened here. If not, its address is said, and the device flow is preferred where there is one."""


class SignIn:
    """Signs in at the authorization server of one gateway."""

    def __init__(
        self,
        web: Web,
        gateway_url: str,
        prover: Prover,
        endpoint: TokenEndpoint,
        wishes: Wishes,
        *,
        say: Callable[[str], None],
        open_page: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._web = web
        self._url = gateway_url
        self._prover = prover
        self._endpoint = endpoint
        self._wishes = wishes
        self._say = say
        self._open_page = open_page

    async def now(self, asked: tuple[Challenge, ...], scopes: tuple[str, ...]) -> Tokens:
        """``asked``: the challenges of the gateway; ``scopes``: more than those it named, or none.

        :raises LoginFailed: with the reason; nothing is kept then.
        """
        hinted = next((at for one in asked if (at := one.parameters.get("resource_metadata"))), None)
        resource = await find_resource(self._web, self._url, hinted)
        server = await find_server(self._web, resource.issuers[0])
        # MCP basic/authorization, scope selection: what the challenge names, else what the resource lists.
        named = next((one.scopes for one in asked if one.scopes), ()) or resource.scopes
        wanted = merged(scopes, named, (OFFLINE,) if server.offline_access else ())
        dpop = server.dpop or resource.dpop_required or any(one.scheme == "dpop" for one in asked)
        if self._wishes.device or (not self._wishes.browser and server.device_endpoint is not None):
            return await sign_in_elsewhere(
                self._web,
                self._endpoint,
                server,
                configured_client=self._wishes.client_id,
                resource=resource.resource,
                scopes=wanted,
                dpop=dpop,
                say=self._say,
            )
        return await sign_in(
            self._web,
            self._endpoint,
            server,
            configured_client=self._wishes.client_id,
            resource=resource.resource,
            scopes=wanted,
            dpop_thumbprint=self._prover.thumbprint if dpop else None,
            open_page=self._show,
        )

    async def _show(self, page: str) -> None:
        if self._wishes.browser and await self._open_page(page):
            self._say("To sign in, look at the page that was opened in your browser.")
        else:
            self._say(f"To sign in, open {page}")
