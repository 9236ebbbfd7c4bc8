"""What a client is built with."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.handshake.options import (
    Timeouts,
    Tls,
    http_options,
    service_url,
    timeouts_of,
    tls_context,
)


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.example",
        "http://10.0.0.1:3000",
        "http://localhost.evil.example",
        "http://127.0.0.1@evil.example",
        "ftp://gateway.example",
        "https://user:secret@gateway.example",
        "https://gateway.example?x=1",
        "https://gateway.example#x",
        "gateway.example",
        "",
    ],
)
def test_an_address_that_would_show_the_token_is_refused(url: str) -> None:
    """Plain http elsewhere than on loopback, and what is no address."""
    with pytest.raises(ConfigurationRefused):
        service_url(url)


@pytest.mark.parametrize(
    "url",
    ["https://gateway.example/base/", "http://127.0.0.1:3000", "http://localhost:3000", "http://[::1]:3000"],
)
def test_a_good_address_is_taken(url: str) -> None:
    """Https anywhere; http on this machine."""
    assert service_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "timeouts",
    [Timeouts(connect=0), Timeouts(read=-1), Timeouts(poll=21), Timeouts(confirmation=float("nan"))],
)
def test_a_time_that_makes_no_sense_is_refused(timeouts: Timeouts) -> None:
    """A poll that is too rare lets every token expire."""
    with pytest.raises(ConfigurationRefused, match=r"timeouts\."):
        timeouts_of(timeouts)


def test_tls_is_always_verified() -> None:
    """There is no switch for it."""
    context = tls_context(Tls())
    assert isinstance(context, ssl.SSLContext)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls_context(None) is True


@pytest.mark.parametrize("name", ["ca_file", "client_certificate", "client_key"])
def test_a_file_that_cannot_be_used_is_said_at_once(tmp_path: Path, name: str) -> None:
    """And not at the first payment."""
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    with pytest.raises(ConfigurationRefused, match="tls"):
        tls_context(Tls(**{name: bad}))


def test_no_proxy_reads_plain_http() -> None:
    """Attack: HTTP_PROXY in the environment, and the session token passes by it in the clear."""
    assert http_options("http://127.0.0.1:1", Timeouts(), None)["trust_env"] is False
    made = http_options("https://gateway.example", Timeouts(), None)
    assert (made["trust_env"], made["follow_redirects"], made["verify"]) == (True, False, True)
