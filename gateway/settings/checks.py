"""Contradictions that no single setting shows. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from gateway.errors import SettingsError
from gateway.settings.model import IdentitySettings, PayPalSettings, Settings


def check(settings: Settings) -> None:
    """:raises SettingsError: the first contradiction, naming the key and what to do."""
    for problem in _problems(settings):
        raise SettingsError(problem)


def check_paypal(paypal: PayPalSettings) -> None:
    """The same for the target alone. :raises SettingsError:"""
    for problem in _paypal(paypal):
        raise SettingsError(problem)


def _problems(settings: Settings) -> Iterator[str]:
    yield from _addresses(settings)
    yield from _paypal(settings.paypal)
    yield from _upstreams(settings)
    yield from _identity(settings.identity)


def _addresses(settings: Settings) -> Iterator[str]:
    host, colon, port = settings.listen.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        yield f"listen: {settings.listen!r} is not host:port."
    public = urlsplit(settings.public_url)
    if public.scheme not in ("http", "https") or not public.hostname or public.query or public.fragment:
        yield "public_url: must be an http(s) URL without query and fragment."
    elif public.scheme == "http" and not is_loopback(public.hostname):
        yield "public_url: plain http is for loopback only; bearer tokens need https (R045)."


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
        if not _may_be_reached(one.url):
            yield f"upstreams.{name}.url: must be https, or http to loopback or a service name."
    if "paypal" in settings.upstreams and settings.paypal.enabled:
        yield "upstreams.paypal: the name is taken by the built-in server; set paypal.enabled: false."
    for name in settings.upstreams:
        if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            yield f"upstreams.{name}: a name has letters, digits, - and _ only."
    if not settings.paypal.enabled and not settings.upstreams:
        yield "upstreams: there is no target; enable paypal or name an upstream."


def _identity(identity: IdentitySettings) -> Iterator[str]:
    if not identity.tokens and not identity.issuers:
        yield "identity: nobody could be recognised; set identity.tokens (see `countersign token`) or identity.issuers."
    for issuer in identity.issuers:
        if issuer.jwks_uri and issuer.jwks_file:
            yield f"identity.issuers: {issuer.issuer}: set jwks_uri or jwks_file, not both."


def _may_be_reached(url: str) -> bool:
    """https anywhere; plain http only to this machine, or to a bare name: a service of the same private network."""
    target = urlsplit(url)
    if not target.hostname or target.username or target.query or target.fragment:
        return False
    return target.scheme == "https" or (
        target.scheme == "http" and (is_loopback(target.hostname) or "." not in target.hostname)
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
