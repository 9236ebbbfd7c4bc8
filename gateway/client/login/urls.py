"""Which addresses sign-in goes to. Pure.

Attack: metadata that sends the browser, a code or a refresh token to a place where others listen.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from gateway.client.errors import LoginFailed

MAX_URL = 2_000
"""Characters of an address in metadata."""


def checked(url: object, what: str, *, beside: str | None = None) -> str:
    """An absolute https URL; or plain http on this machine's loopback, at the origin of ``beside`` where that is given.

    What is *not* checked: where the name resolves to.

    :raises LoginFailed: naming ``what``.
    """
    if not isinstance(url, str) or len(url) > MAX_URL or not all("!" <= char <= "~" for char in url):
        raise LoginFailed(f"The {what} is no usable URL.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise LoginFailed(f"The {what} is no usable URL.") from None
    if not host or parts.username is not None or parts.fragment or "\\" in url:
        raise LoginFailed(f"The {what} is no usable URL.")
    if parts.scheme == "https":
        return url
    if parts.scheme != "http" or not is_loopback(host):
        raise LoginFailed(f"The {what} is not https.")
    if beside is not None and origin(url) != origin(beside):
        raise LoginFailed(f"The {what} is plain http at another place than its server.")
    return url


def is_loopback(host: str) -> bool:
    """``localhost`` or an address of this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> str:
    """``scheme://host[:port]``, lower case, without the scheme's own port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    standard = {"https": 443, "http": 80}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, standard) else ""
    return f"{parts.scheme}://{host}{port}"


def covers(resource: str, url: str) -> bool:
    """Whether ``url`` is the resource, or a path below it (MCP basic/authorization, canonical server URI)."""
    if origin(resource) != origin(url) or urlsplit(resource).query:
        return False
    above, below = urlsplit(resource).path.rstrip("/"), urlsplit(url).path.rstrip("/")
    return below == above or below.startswith(above + "/")
