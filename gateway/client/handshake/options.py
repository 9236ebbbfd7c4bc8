"""Where the gateway is, and how it is reached. Checked when a client is built, before there is anything to lose."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from gateway.client.errors import LoginFailed
from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.login.urls import checked

MAX_POLL_S: Final = 20.0
"""Seconds between two looks at a confirmation: the token between them may live no longer than 30."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """In seconds. ``read``: silence until an answer counts as lost; of an execution it then is an *unknown outcome*."""

    connect: float = 10.0
    read: float = 100.0
    confirmation: float = 300.0
    """How long a call waits for a person, at most; the gateway may wait for less."""
    poll: float = 2.0
    """Between two looks at a confirmation. The gateway holds each one for a moment besides."""


class Tls(msgspec.Struct, frozen=True, kw_only=True):
    """Files in PEM. Without ``ca_file`` the usual authorities count. Verification cannot be switched off."""

    ca_file: str | Path | None = None
    client_certificate: str | Path | None = None
    client_key: str | Path | None = None


def service_url(url: str) -> str:
    """The base under which ``/authorize`` and ``/execute`` are: https, or http on this machine's loopback.

    :raises ConfigurationRefused: plain http elsewhere would show the session token to everyone on the way.
    """
    try:
        found = checked(url, "service URL")
    except LoginFailed as problem:
        raise ConfigurationRefused(problem.message) from None
    if urlsplit(found).query:
        raise ConfigurationRefused("The service URL has a query; give its scheme, host and path.")
    return found.rstrip("/")


def timeouts_of(timeouts: Timeouts | None) -> Timeouts:
    """:raises ConfigurationRefused: naming the one that is wrong."""
    made = timeouts or Timeouts()
    for name in ("connect", "read", "confirmation", "poll"):
        if not 0 < getattr(made, name) < 86_400:
            raise ConfigurationRefused(f"timeouts.{name}: more than 0 seconds and less than a day.")
    if made.poll > MAX_POLL_S:
        raise ConfigurationRefused(
            f"timeouts.poll: at most {MAX_POLL_S:.0f} seconds, or tokens expire between."
        )
    return made


def tls_context(tls: Tls | None) -> ssl.SSLContext | bool:
    """What httpx takes. :raises ConfigurationRefused: a file cannot be used."""
    if tls is None:
        return True
    if tls.client_key is not None and tls.client_certificate is None:
        raise ConfigurationRefused("tls.client_key: there is no client_certificate to it.")
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.client_certificate is not None:
            context.load_cert_chain(tls.client_certificate, tls.client_key)
    except (OSError, ValueError) as problem:
        raise ConfigurationRefused(f"tls: a file cannot be used: {type(problem).__name__}.") from None
    return context


def http_options(url: str, timeouts: Timeouts, tls: Tls | None) -> dict[str, Any]:
    """Of both kinds of httpx client.

    No redirect is followed, since it would carry the tokens to another place; plain http knows no proxy for the same
    reason.
    """
    import httpx

    encrypted = url.startswith("https://")
    return {
        "follow_redirects": False,
        "trust_env": encrypted,
        # Loading the authorities takes longer than a call on loopback, which has no use for them.
        "verify": tls_context(tls) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        "timeout": httpx.Timeout(
            connect=timeouts.connect, read=timeouts.read, write=timeouts.read, pool=None
        ),
        "headers": {"accept": "application/json", "accept-encoding": "identity"},
    }
