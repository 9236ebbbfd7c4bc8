"""Which addresses sign-in goes to."""

from __future__ import annotations

import pytest

from gateway.client.errors import LoginFailed
from gateway.client.login.urls import checked, covers, origin


@pytest.mark.parametrize(
    "url",
    [
        "https://as.example/token",
        "https://as.example:8443/a?b=c",
        "http://127.0.0.1:9/x",
        "http://localhost/x",
        "http://[::1]:8/",
    ],
)
def test_https_and_loopback_are_fine(url: str) -> None:
    """They come back as they are."""
    assert checked(url, "URL") == url


@pytest.mark.parametrize(
    "url",
    [
        "http://as.example/token",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "ftp://as.example/",
        "https://user@as.example/",
        "https://as.example/#x",
        "https:///x",
        "https://as.example:99999/",
        "https://as.example\\@evil.example/",
        "https://as.example/ x",
        "https://as.éxample/",
        "javascript:alert(1)",
        "",
        None,
        7,
    ],
)
def test_anything_else_is_refused(url: object) -> None:
    """Plain http beyond this machine, another scheme, what two readers read differently."""
    with pytest.raises(LoginFailed, match="URL"):
        checked(url, "URL")


def test_plain_http_stays_at_its_server() -> None:
    """Another port of this machine is another user's program, perhaps."""
    assert checked("http://127.0.0.1:9/token", "x", beside="http://127.0.0.1:9/")
    with pytest.raises(LoginFailed):
        checked("http://127.0.0.1:8/token", "x", beside="http://127.0.0.1:9/")
    with pytest.raises(LoginFailed):
        checked("http://127.0.0.1:8/token", "x", beside="https://as.example/")


@pytest.mark.parametrize(
    ("resource", "url", "fits"),
    [
        ("https://g.example/mcp", "https://g.example/mcp", True),
        ("https://G.example:443/mcp", "https://g.example/mcp", True),
        ("https://g.example/mcp", "https://g.example/mcp/docs", True),
        ("https://g.example", "https://g.example/mcp", True),
        ("https://g.example/mcp", "https://g.example/mcp-evil", False),
        ("https://g.example/mcp/docs", "https://g.example/mcp", False),
        ("https://evil.example/mcp", "https://g.example/mcp", False),
        ("http://g.example/mcp", "https://g.example/mcp", False),
        ("https://g.example/mcp?x", "https://g.example/mcp", False),
    ],
)
def test_a_resource_covers_itself_and_what_is_below(resource: str, url: str, *, fits: bool) -> None:
    """By whole path segments, at the same origin."""
    assert covers(resource, url) is fits


def test_an_origin_has_one_spelling() -> None:
    """Case and the scheme's own port do not matter."""
    assert origin("HTTPS://G.example:443/x") == "https://g.example"
    assert origin("http://[::1]:80/") == "http://[::1]"
