"""The device flow, for a machine without a browser (RFC 8628)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from gateway.client.errors import LoginFailed
from gateway.client.login.register import DEVICE, client_id_for
from gateway.client.login.tokens import Denied, TokenEndpoint
from gateway.client.login.urls import checked
from gateway.client.login.values import Grant, Server, Tokens
from gateway.client.login.web import Web
from gateway.client.phases import shown

DEFAULT_INTERVAL_S: Final = 5
SLOWER_S: Final = 5
"""RFC 8628 section 3.5: added to the interval at each ``slow_down``."""
MAX_INTERVAL_S: Final = 60
MAX_WAIT_S: Final = 1_800
"""Seconds a person has, whatever the server says."""


async def sign_in_elsewhere(
    web: Web,
    endpoint: TokenEndpoint,
    server: Server,
    *,
    configured_client: str | None,
    resource: str,
    scopes: tuple[str, ...],
    dpop: bool,
    say: Callable[[str], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Tokens:
    """Show a code, then ask until somebody has entered it elsewhere. :raises LoginFailed: with the reason."""
    if server.device_endpoint is None:
        raise LoginFailed("The authorization server has no device flow.")
    client_id = await client_id_for(web, server, configured_client, None)
    form = {"client_id": client_id, "resource": resource}
    if scopes:
        form["scope"] = " ".join(scopes)
    reply = await web.post_form(server.device_endpoint, form)
    document = reply.document
    device_code, user_code = document.get("device_code"), shown(document.get("user_code"), 64)
    if reply.status != 200 or not isinstance(device_code, str) or not user_code:
        raise LoginFailed(f"The device flow was refused: {shown(document.get('error'), 64) or reply.status}.")
    page = checked(document.get("verification_uri"), "verification_uri")
    say(f"To sign in, open {page} on any device and enter the code {user_code}")
    interval = _whole(document.get("interval"), DEFAULT_INTERVAL_S, MAX_INTERVAL_S)
    left = float(_whole(document.get("expires_in"), MAX_WAIT_S, MAX_WAIT_S))
    grant = Grant(server=server, client_id=client_id, resource=resource, scopes=scopes, dpop=dpop)
    while left > 0:
        await sleep(interval)
        left -= interval
        try:
            return await endpoint.ask(grant, {"grant_type": DEVICE, "device_code": device_code})
        except Denied as problem:
            if problem.error == "slow_down":
                interval = min(interval + SLOWER_S, MAX_INTERVAL_S)
            elif problem.error != "authorization_pending":
                raise
    raise LoginFailed("Nobody entered the code in time; start again.")


def _whole(value: Any, default: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return default
    return max(1, min(value, most))
