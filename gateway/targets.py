"""One configured server as an upstream: what carries it and what it is shown. Nothing is contacted or started."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Literal

import msgspec

from gateway.identity.credentials import Secret
from gateway.settings.environment import inherited
from gateway.settings.model import Hidden, OAuthSettings, Settings, UpstreamSettings
from gateway.upstream.credential import Credential, StaticBearer
from gateway.upstream.delivery import Changed
from gateway.upstream.guarded import Guarded
from gateway.upstream.mcp_http import McpHttp
from gateway.upstream.mcp_stdio import McpStdio
from gateway.upstream.oauth import OAuth
from gateway.upstream.opening import Says
from gateway.upstream.paypal.toolkit import Toolkit
from gateway.upstream.stdio_process import Command, child_environment
from gateway.upstream.target import Upstream
from gateway.upstream.token_endpoint import Registration, TokenEndpoint
from gateway.version import VERSION

Environment = Literal["SANDBOX", "PRODUCTION"]
PAYPAL_REMOTE: Mapping[Environment, str] = {
    "SANDBOX": "https://mcp.sandbox.paypal.com/http",
    "PRODUCTION": "https://mcp.paypal.com/http",
}
PAYPAL_NPM = ("npx", "-y", "@paypal/mcp", "--tools=all")
"""PayPal's own command line. The access token goes into its environment: arguments are for everybody to read."""
LEAST_SECRET = 6
"""Characters of a child's variable that is kept out of the log: to blot out every ``1`` would hide the log itself."""


def target_of(name: str, one: UpstreamSettings, changed: Changed, says: Says | None = None) -> Upstream:
    """The server within its fence. ``changed`` is called with the name when it says that its tools changed;
    ``says`` is what its handshake hears besides."""
    bare: Upstream = (
        _child(name, one, changed, says) if one.url is None else _remote(name, one, one.url, changed, says)
    )
    fenced = Guarded(bare, max_concurrency=one.max_concurrency, max_queue=one.max_queue)
    return fenced if one.preset is None else Toolkit(fenced)


def presets_of(settings: Settings) -> list[str]:
    """The servers that are PayPal's own, by name."""
    return [name for name, one in settings.upstreams.items() if one.preset is not None]


def with_preset(one: UpstreamSettings, environment: Environment) -> UpstreamSettings:
    """What the preset says, where the settings do not say otherwise.

    The environment is always said: PayPal's library takes production where nobody names one.
    """
    if one.preset == "paypal-remote":
        return msgspec.structs.replace(one, url=one.url or PAYPAL_REMOTE[environment])
    if one.preset == "paypal-npm":
        env = {**one.env, "PAYPAL_ENVIRONMENT": Hidden(environment.lower())}
        return msgspec.structs.replace(one, command=one.command or PAYPAL_NPM, env=env)
    return one


def _remote(name: str, one: UpstreamSettings, url: str, changed: Changed, says: Says | None) -> McpHttp:
    return McpHttp(
        name,
        url,
        version=VERSION,
        credential=_credential(name, one, url),
        timeout_s=one.timeout_s,
        max_connections=one.max_connections,
        ssl=ssl.create_default_context() if url.startswith("https:") else None,
        changed=changed,
        says=says,
    )


def _credential(name: str, one: UpstreamSettings, url: str) -> Credential:
    if one.oauth is None:
        return StaticBearer(one.bearer)
    return OAuth(name, TokenEndpoint(registration_of(one.oauth, url)), exchange=one.oauth.exchange)


def registration_of(oauth: OAuthSettings, url: str) -> Registration:
    """What is asked for; a token that names nobody as its audience would be good at other servers, too."""
    return Registration(
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=Secret(oauth.client_secret.encode()),
        scopes=oauth.scopes,
        resource=url if oauth.resource is None and oauth.audience is None else oauth.resource,
        audience=oauth.audience,
        auth_method=oauth.auth_method,
    )


def _child(name: str, one: UpstreamSettings, changed: Changed, says: Says | None) -> McpStdio:
    command = Command(
        argv=one.command,
        environment=child_environment(inherited(), one.env),
        folder=one.cwd,
        secrets=tuple(value for value in one.env.values() if len(value) >= LEAST_SECRET),
    )
    return McpStdio(name, command, version=VERSION, timeout_s=one.timeout_s, changed=changed, says=says)
