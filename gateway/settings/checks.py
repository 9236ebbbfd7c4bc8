"""Contradictions that no single setting shows. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from gateway.errors import SettingsError
from gateway.settings.agents import agent_problems
from gateway.settings.bundles import bundle_problems
from gateway.settings.idp import idp_problems
from gateway.settings.model import (
    DoorSettings,
    IdentitySettings,
    OAuthSettings,
    PayPalSettings,
    PolicySettings,
    Settings,
    UpstreamSettings,
)
from gateway.settings.shadow import ShadowSettings

MAX_PORT = 65535
_PUBLIC_URL = re.compile(r"https?://[a-z0-9.:\[\]-]+(?:/[A-Za-z0-9._~%-]+)*/?")
_PORT = re.compile(r"[0-9]{1,5}")
_SERVICE_NAME = re.compile(r"(?=.*[a-z])(?!0x)[a-z0-9_-]{1,63}")
"""One label with a letter in it: what compose and Kubernetes resolve inside, and nothing that is an address."""
_SCOPE = re.compile(r"[!#-\[\]-~]+")
"""RFC 6749 section 3.3, ``scope-token``."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PAYPAL_TOKEN_VARIABLE = "PAYPAL_ACCESS_TOKEN"  # noqa: S105 - a name
_NOT_FOR_THE_TOOLKIT = {
    "PAYPAL_ENVIRONMENT": "it is paypal.environment here",
    "DEBUG": "it prints customers' data",
}
_UPSTREAM_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def check(settings: Settings) -> None:
    """:raises SettingsError: the first contradiction, naming the key and what to do."""
    for problem in _problems(settings):
        raise SettingsError(problem)


def check_idp(settings: Settings) -> None:
    """What the identity provider needs when it runs alone. :raises SettingsError:"""
    for problem in (*_addresses(settings), *idp_problems(settings)):
        raise SettingsError(problem)


def check_paypal(paypal: PayPalSettings) -> None:
    """The same for the target alone. :raises SettingsError:"""
    for problem in _paypal(paypal):
        raise SettingsError(problem)


def _problems(settings: Settings) -> Iterator[str]:
    yield from _addresses(settings)
    yield from _proxies(settings.door)
    yield from _paypal(settings.paypal)
    yield from _upstreams(settings)
    yield from _policy(settings.policy)
    yield from bundle_problems(settings.bundles)
    yield from _shadow(settings.shadow)
    yield from _identity(settings.identity)
    yield from agent_problems(settings)
    yield from idp_problems(settings)


def _addresses(settings: Settings) -> Iterator[str]:
    if not is_address(settings.listen):
        yield f"listen: {settings.listen!r} is not host:port."
    public = _split(settings.public_url)
    if public is None or not _PUBLIC_URL.fullmatch(settings.public_url):
        # Tokens name this URL as their audience and are compared byte for byte (RFC 8707 section 2).
        yield "public_url: must be an http(s) URL, the host in lower case, without user, query and fragment."
    elif public.scheme == "http" and not is_loopback(public.hostname or ""):
        yield "public_url: plain http is for loopback only; bearer tokens need https (R045)."
    for host in settings.door.allowed_hosts:
        if not host or "/" in host or any(char.isspace() for char in host):
            yield f"door.allowed_hosts: {host!r} is not a host or host:port."
    for origin in settings.door.allowed_origins:
        parts = _split(origin.rstrip("/"))
        if (
            parts is None
            or parts.scheme not in ("http", "https")
            or parts.path
            or parts.query
            or parts.fragment
        ):
            yield f"door.allowed_origins: {origin!r} is not an origin such as https://app.example.com."


def _proxies(door: DoorSettings) -> Iterator[str]:
    if (door.address_header is None) != (not door.trusted_proxies):
        yield "door.address_header: it is believed from door.trusted_proxies alone; set both or neither."
    for proxy in door.trusted_proxies:
        if not _is_network(proxy):
            yield f"door.trusted_proxies: {proxy!r} is no address or network such as 10.0.0.0/8."


def _paypal(paypal: PayPalSettings) -> Iterator[str]:
    if paypal.access_token and (paypal.client_id or paypal.client_secret):
        yield "paypal.access_token: set either it or client_id and client_secret, not both."
    if bool(paypal.client_id) != bool(paypal.client_secret):
        yield "paypal.client_secret: client_id and client_secret come together."
    if paypal.environment == "PRODUCTION" and paypal.base_url:
        yield "paypal.base_url: PRODUCTION goes to PayPal's own host; unset one of the two."
    if paypal.base_url is not None and not _may_be_reached(paypal.base_url):
        yield "paypal.base_url: must be https, or http to loopback or a service name."


def _upstreams(settings: Settings) -> Iterator[str]:
    for name, one in settings.upstreams.items():
        yield from _upstream(f"upstreams.{name}", one)
    if "paypal" in settings.upstreams and settings.paypal.enabled:
        yield "upstreams.paypal: the name is taken by the built-in server; set paypal.enabled: false."
    for name in settings.upstreams:
        if not _UPSTREAM_NAME.fullmatch(name):
            yield f"upstreams.{name}: a name has letters, digits, - and _ only."
    if not settings.paypal.enabled and not settings.upstreams:
        yield "upstreams: there is no target; enable paypal or name an upstream."


def _upstream(key: str, one: UpstreamSettings) -> Iterator[str]:
    if one.preset is not None:
        yield from _preset(key, one)
    elif (one.url is None) == (not one.command):
        yield f"{key}: set url (a server over HTTP) or command (a server that is started here), one of them."
    if one.url is not None and not _may_be_reached(one.url):
        yield f"{key}.url: must be https, or http to loopback or a service name."
    if one.url is not None and (one.env or one.cwd is not None):
        yield f"{key}.env: env and cwd are for a command."
    if one.command and one.bearer is not None:
        # A pipe has no Authorization: a credential that is never shown is a mistake, not a setting.
        yield f"{key}.bearer: a command takes its credential from env."
    if one.oauth is not None:
        yield from _oauth(f"{key}.oauth", one, one.oauth)
    yield from _command(key, one)


def _command(key: str, one: UpstreamSettings) -> Iterator[str]:
    for text in (*one.command, one.cwd or ""):
        if "\0" in text:
            yield f"{key}.command: holds a character that no command can."
    for variable in one.env:
        if not _VARIABLE.fullmatch(variable):
            yield f"{key}.env: {variable!r} is not the name of a variable."


def _preset(key: str, one: UpstreamSettings) -> Iterator[str]:
    """A preset fills in what is not set; what is of the other kind would be ignored."""
    if one.preset == "paypal-remote":
        if one.command or one.env or one.cwd is not None:
            yield f"{key}.preset: paypal-remote is reached over HTTP; command, env and cwd are for paypal-npm."
        return
    if one.url is not None or one.bearer is not None or one.oauth is not None:
        yield f"{key}.preset: paypal-npm is started here; url, bearer and oauth are for paypal-remote."
    if not one.env.get(PAYPAL_TOKEN_VARIABLE):
        yield f"{key}.env: paypal-npm needs {PAYPAL_TOKEN_VARIABLE}."
    for variable, why in _NOT_FOR_THE_TOOLKIT.items():
        if variable in one.env:
            yield f"{key}.env: {variable} is not for paypal-npm: {why}."


def _oauth(key: str, one: UpstreamSettings, oauth: OAuthSettings) -> Iterator[str]:
    if one.url is None and one.preset is None:
        yield f"{key}: a command takes its credential from env."
    if one.bearer is not None:
        yield f"{key}: set bearer or oauth, not both."
    token_url = _split(oauth.token_url)
    if token_url is None or not (
        token_url.scheme == "https" or (token_url.scheme == "http" and is_loopback(token_url.hostname or ""))
    ):
        # Secrets and, for an exchange, the callers' own tokens go there.
        yield f"{key}.token_url: must be https, or http to loopback."
    elif token_url.fragment:
        yield f"{key}.token_url: has no fragment (RFC 6749 section 3.2)."
    if not oauth.client_secret:
        yield f"{key}.client_secret: is empty."
    for scope in oauth.scopes:
        if not _SCOPE.fullmatch(scope):
            yield f"{key}.scopes: {scope!r} is not a scope; list them one by one."
    if oauth.resource is not None and (not urlsplit(oauth.resource).scheme or "#" in oauth.resource):
        yield f"{key}.resource: must be an absolute URI without a fragment (RFC 8707 section 2)."


def _policy(policy: PolicySettings) -> Iterator[str]:
    if not policy.opa_url.startswith("unix:///") and not _may_be_reached(policy.opa_url):
        yield "policy.opa_url: must be https, http to loopback or a service name, or unix:///path."


def _shadow(shadow: ShadowSettings) -> Iterator[str]:
    url = shadow.opa_url
    if url is not None and shadow.path is not None:
        yield "shadow.opa_url: there is one candidate; set path or opa_url, not both."
    if url is not None and not url.startswith("unix:///") and not _may_be_reached(url):
        yield "shadow.opa_url: must be https, http to loopback or a service name, or unix:///path."
    if shadow.opa_token is not None and url is None:
        yield "shadow.opa_token: is for shadow.opa_url, which is not set."


def _identity(identity: IdentitySettings) -> Iterator[str]:
    if not identity.tokens and not identity.issuers:
        yield (
            "identity: nobody could be recognised; set identity.tokens (see `countersign init` and"
            " `countersign token`) or identity.issuers."
        )
    for token, count in Counter(one.sha256 for one in identity.tokens).items():
        if count > 1:
            yield f"identity.tokens: the hash {token[:12]}… stands {count} times; one token is one caller."
    for name, count in Counter(one.issuer for one in identity.issuers).items():
        if count > 1:
            yield f"identity.issuers: {name} stands {count} times."
    for issuer in identity.issuers:
        if issuer.jwks_uri and issuer.jwks_file:
            yield f"identity.issuers: {issuer.issuer}: set jwks_uri or jwks_file, not both."
        asks = (issuer.introspection_client_id, issuer.introspection_client_secret)
        if issuer.introspection_url is not None and not all(asks):
            yield (
                f"identity.issuers: {issuer.issuer}: introspection_url needs introspection_client_id and "
                "introspection_client_secret."
            )
        if issuer.introspection_url is None and any(asks):
            yield f"identity.issuers: {issuer.issuer}: introspection_url is missing."


def _split(url: str) -> SplitResult | None:
    """The parts of an absolute URL with a host and no user, or None."""
    try:
        parts = urlsplit(url)
        usable = parts.hostname and parts.username is None and parts.password is None and parts.port != 0
    except ValueError:  # an unclosed bracket, a port that is no number
        return None
    return parts if usable else None


def _may_be_reached(url: str) -> bool:
    """https anywhere; plain http only to this machine, or to a bare name: a service of the same private network.

    An address is not a name, in whatever way it is written: ``http://[2001:db8::1]`` and ``http://3232235777`` leave
    this machine, and with them the target's credentials.
    """
    target = _split(url)
    if target is None or target.query or target.fragment:
        return False
    host = target.hostname or ""
    return target.scheme == "https" or (
        target.scheme == "http" and (is_loopback(host) or _SERVICE_NAME.fullmatch(host) is not None)
    )


def is_address(listen: str) -> bool:
    """Whether this is ``host:port``, an IPv6 host in brackets."""
    host, _, port = listen.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not bare or (":" in bare and bare == host) or not _PORT.fullmatch(port):
        return False
    return int(port) <= MAX_PORT


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
