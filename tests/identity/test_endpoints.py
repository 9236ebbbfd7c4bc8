"""URLs that may be believed."""

import pytest

from gateway.identity.endpoints import parse_endpoint


@pytest.mark.parametrize(
    ("url", "host", "path", "loopback", "private"),
    [
        ("https://idp.example/tenant/", "idp.example", "/tenant/", False, False),
        ("HTTPS://IdP.example:8443", "idp.example", "", False, False),
        ("https://10.1.2.3/keys", "10.1.2.3", "/keys", False, True),
        ("https://169.254.169.254/latest", "169.254.169.254", "/latest", False, True),
        ("https://[fd00::1]/keys", "fd00::1", "/keys", False, True),
        ("https://[::ffff:10.0.0.1]/keys", "::ffff:10.0.0.1", "/keys", False, True),
        ("http://127.0.0.1:8080/mcp", "127.0.0.1", "/mcp", True, True),
        ("http://[::1]:8080/mcp", "::1", "/mcp", True, True),
        ("http://localhost/mcp", "localhost", "/mcp", True, True),
        ("http://idp.localhost/mcp", "idp.localhost", "/mcp", True, True),
    ],
)
def test_good_urls_are_taken_apart(url: str, host: str, path: str, *, loopback: bool, private: bool) -> None:
    """Host, path, and whether it is this machine or a private network."""
    endpoint = parse_endpoint(url)
    assert (endpoint.url, endpoint.host, endpoint.path) == (url, host, path)
    assert (endpoint.loopback, endpoint.private) == (loopback, private)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "idp.example",
        "ftp://idp.example",
        "http://idp.example",
        "http://10.0.0.1/keys",
        "http://localhost.attacker.example/",
        "http://127.0.0.1@attacker.example/",
        "http://127.0.0.1\\@attacker.example/",
        "https://user:pass@idp.example/",
        "https://idp.example/#fragment",
        "https://idp.example/a b",
        "https://idp.example/\r\nX: y",
        "https://idp.example/\u202e",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1/",
        "https://[zz]/",
        "https://-idp.example/",
        "https:///keys",
        "https://idp.example" + "/a" * 2000,
    ],
)
def test_doubtful_urls_are_refused(url: str) -> None:
    """Everything two URL parsers could read differently, and plain http to other machines."""
    with pytest.raises(ValueError, match=r"."):
        parse_endpoint(url)
