"""As which client to sign in: a configured id, a metadata document, or one registered for this sign-in (RFC 7591)."""

from __future__ import annotations

import re
from typing import Final

from gateway.client.errors import LoginFailed
from gateway.client.login.values import Server
from gateway.client.login.web import Web

NAME: Final = "Countersign connect"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_CLIENT_ID: Final = re.compile(r"[\x20-\x7e]{1,2000}")


async def client_id_for(web: Web, server: Server, configured: str | None, redirect_uri: str | None) -> str:
    """The client id. ``redirect_uri``: None for the device flow.

    A registration is for this one sign-in: the port of the redirect is a new one each time, and not every server
    lets it vary (RFC 8252 section 7.3). Only public clients: a secret on this machine would be none.

    :raises LoginFailed: none is configured and the server registers none.
    """
    if configured is not None:
        if configured.startswith("https://") and not server.client_id_documents:
            raise LoginFailed("The authorization server takes no client id metadata documents.")
        return configured
    if server.registration_endpoint is None:
        raise LoginFailed("The authorization server registers no clients; pass --client-id.")
    grants = ["authorization_code", "refresh_token"] if redirect_uri else [DEVICE, "refresh_token"]
    reply = await web.post_json(
        server.registration_endpoint,
        {
            "client_name": NAME,
            "application_type": "native",
            "redirect_uris": [redirect_uri] if redirect_uri else [],
            "grant_types": grants,
            "response_types": ["code"] if redirect_uri else [],
            "token_endpoint_auth_method": "none",
        },
    )
    given = reply.document.get("client_id")
    if reply.status not in (200, 201) or not isinstance(given, str) or not _CLIENT_ID.fullmatch(given):
        raise LoginFailed("The authorization server did not register a client; pass --client-id.")
    if reply.document.get("token_endpoint_auth_method", "none") != "none":
        raise LoginFailed("The authorization server registers only clients with a secret; pass --client-id.")
    return given
