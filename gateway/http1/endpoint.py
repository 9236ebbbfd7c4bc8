"""Where a client connects to: parsed once from configuration, never from a request."""

from typing import Literal, Self
from urllib.parse import urlsplit

import msgspec

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One origin: `http`, `https` or a unix socket. `host_header` is the exact Host value that is sent."""

    scheme: Literal["http", "https", "unix"]
    host: str = ""
    port: int = 0
    path: str = ""  # of the unix socket
    host_header: bytes = b"localhost"

    @classmethod
    def parse(cls, url: str) -> Self:
        """Parse `http://host[:port]`, `https://host[:port]` or `unix:///path`; ValueError for anything else.

        A path, query, fragment or user info is refused: a secret in a URL ends up in logs, and a path that
        is silently dropped sends requests somewhere else.
        """
        endpoint, target = cls.split(url)
        if target not in ("", "/"):
            raise ValueError("an endpoint has no path or query")
        return endpoint

    @classmethod
    def split(cls, url: str) -> tuple[Self, str]:
        """`https://host/mcp?x=1` -> (endpoint, "/mcp?x=1"). ValueError for user info, fragment, non-ASCII."""
        if not url.isascii() or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
            raise ValueError("an endpoint URL is printable ASCII without blanks")
        parts = urlsplit(url)
        if parts.scheme == "unix":
            if parts.netloc or not parts.path.startswith("/") or parts.query or parts.fragment:
                raise ValueError("a unix endpoint is unix:///absolute/path")
            return cls(scheme="unix", path=parts.path), ""
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise ValueError("an endpoint URL carries no user info and no fragment")
        if not parts.hostname:
            raise ValueError("an endpoint URL names a host")
        match parts.scheme:
            case "http" | "https" as scheme:
                port = parts.port or _DEFAULT_PORTS[scheme]
            case _:
                raise ValueError("an endpoint is http, https or unix")
        name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        header = name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        endpoint = cls(scheme=scheme, host=parts.hostname, port=port, host_header=header.encode("ascii"))
        return endpoint, target
