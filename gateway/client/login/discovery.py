"""From the gateway's URL to the authorization server: RFC 9728, then RFC 8414 or OpenID Connect Discovery."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from gateway.client.errors import LoginFailed
from gateway.client.login.challenge import scopes_of
from gateway.client.login.urls import checked, covers, origin
from gateway.client.login.values import Resource, Server
from gateway.client.login.web import Web

WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
MAX_ISSUERS: Final = 16


async def find_resource(web: Web, gateway_url: str, hinted: str | None) -> Resource:
    """The metadata of the gateway. ``hinted``: ``resource_metadata`` of its challenge.

    :raises LoginFailed: there is none, or it is another resource's (RFC 9728 sections 3.3 and 7.3: a document for
        another resource would have us fetch a token that is good there).
    """
    path = urlsplit(gateway_url).path.rstrip("/")
    base = origin(gateway_url)
    if hinted is not None:
        # The metadata of a resource lives at its own origin (section 3.1); from elsewhere it proves nothing.
        if origin(checked(hinted, "resource_metadata of the gateway")) != base:
            raise LoginFailed("The gateway points to metadata at another place; refused.")
        places = [hinted]
    else:
        places = list(dict.fromkeys([f"{base}{WELL_KNOWN}{path}", f"{base}{WELL_KNOWN}"]))
    for place in places:
        reply = await web.get(place)
        if reply.status == 200 and reply.document:
            return _resource(reply.document, gateway_url)
    raise LoginFailed(
        "The gateway has no metadata about its authorization server; give it a fixed token instead."
    )


def _resource(document: dict[str, Any], gateway_url: str) -> Resource:
    resource = document.get("resource")
    if not isinstance(resource, str) or not covers(checked(resource, "resource"), gateway_url):
        raise LoginFailed("The gateway's metadata is about another resource; refused.")
    listed = document.get("authorization_servers")
    issuers = tuple(one for one in listed if isinstance(one, str)) if isinstance(listed, list) else ()
    if not issuers:
        raise LoginFailed("The gateway names no authorization server.")
    scopes = document.get("scopes_supported")
    return Resource(
        resource=resource,
        issuers=issuers[:MAX_ISSUERS],
        scopes=scopes_of(" ".join(str(one) for one in scopes)) if isinstance(scopes, list) else (),
        dpop_required=document.get("dpop_bound_access_tokens_required") is True,
    )


async def find_server(web: Web, issuer: str) -> Server:
    """The metadata of an authorization server. The order of places is MCP's (basic/authorization).

    :raises LoginFailed: there is none, or it names another issuer (RFC 8414 section 3.3: mix-up).
    """
    checked(issuer, "authorization server")
    path = urlsplit(issuer).path.rstrip("/")
    base = origin(issuer)
    places = [
        f"{base}/.well-known/oauth-authorization-server{path}",
        f"{base}/.well-known/openid-configuration{path}",
        f"{base}{path}/.well-known/openid-configuration",
    ]
    for place in dict.fromkeys(places):
        reply = await web.get(place)
        if reply.status == 200 and reply.document:
            return _server(reply.document, issuer)
    raise LoginFailed(f"The authorization server {origin(issuer)} has no metadata.")


def _server(document: dict[str, Any], issuer: str) -> Server:
    if document.get("issuer") != issuer:
        raise LoginFailed("The authorization server's metadata names another issuer; refused.")
    if "S256" not in _texts(document.get("code_challenge_methods_supported")):
        raise LoginFailed("The authorization server does not offer PKCE with S256; refused.")

    def endpoint(name: str) -> str | None:
        value = document.get(name)
        return None if value is None else checked(value, name, beside=issuer)

    token = endpoint("token_endpoint")
    if token is None:
        raise LoginFailed("The authorization server has no token endpoint.")
    return Server(
        issuer=issuer,
        token_endpoint=token,
        authorization_endpoint=endpoint("authorization_endpoint"),
        device_endpoint=endpoint("device_authorization_endpoint"),
        registration_endpoint=endpoint("registration_endpoint"),
        iss_in_response=document.get("authorization_response_iss_parameter_supported") is True,
        dpop="ES256" in _texts(document.get("dpop_signing_alg_values_supported")),
        client_id_documents=document.get("client_id_metadata_document_supported") is True,
        offline_access="offline_access" in _texts(document.get("scopes_supported")),
    )


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
