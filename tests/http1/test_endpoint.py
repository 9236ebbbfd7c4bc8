"""Endpoints are parsed once, and strictly."""

import pytest

from gateway.http1 import Endpoint


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "host_header"),
    [
        ("http://127.0.0.1:8181", "http", "127.0.0.1", 8181, b"127.0.0.1:8181"),
        ("http://opa", "http", "opa", 80, b"opa"),
        ("https://mcp.example.com/", "https", "mcp.example.com", 443, b"mcp.example.com"),
        ("https://mcp.example.com:8443", "https", "mcp.example.com", 8443, b"mcp.example.com:8443"),
        ("http://[::1]:8181", "http", "::1", 8181, b"[::1]:8181"),
    ],
)
def test_parse(url: str, scheme: str, host: str, port: int, host_header: bytes) -> None:
    """An origin gives host, port and the exact Host header."""
    endpoint = Endpoint.parse(url)
    assert (endpoint.scheme, endpoint.host, endpoint.port) == (scheme, host, port)
    assert endpoint.host_header == host_header


def test_unix_socket() -> None:
    """A unix endpoint is a path."""
    endpoint = Endpoint.parse("unix:///run/opa/opa.sock")
    assert (endpoint.scheme, endpoint.path, endpoint.host_header) == (
        "unix",
        "/run/opa/opa.sock",
        b"localhost",
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "opa:8181",
        "ftp://opa",
        "http://",
        "http://user:secret@opa",
        "http://opa/v1/data",
        "http://opa?x=1",
        "http://opa#x",
        "http://opa:99999",
        "http://opa\r\nx: y",
        "http://öpa",
        "unix://relative/path",
        "unix:///a?b",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """Secrets, paths and other schemes are refused where an origin is wanted."""
    with pytest.raises(ValueError, match=r"endpoint|[Pp]ort"):
        Endpoint.parse(url)


def test_split_keeps_the_target() -> None:
    """The URL of an upstream is split into an origin and a request target."""
    endpoint, target = Endpoint.split("https://mcp.example.com/mcp?tenant=1")
    assert (endpoint.host, target) == ("mcp.example.com", "/mcp?tenant=1")
