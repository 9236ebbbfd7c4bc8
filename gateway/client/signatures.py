"""Which calls the bridge signs (``_meta["dev.countersign/proof"]``), and with which key.

A key that the operator registered (``--signing-key``) signs every call. The key that the token is bound to signs where
the gateway has refused a call for want of a signature: the policy says which tools those are, and a call that needs no
signature pays for none. A key that the gateway cannot know signs nothing, for a bad proof is refused everywhere.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final

from gateway.canonical import canonical_hash
from gateway.client.keys import ProofKey, b64url, hash_of_token
from gateway.client.message import Message, value_of, with_meta

TYPE: Final = "countersign-parameters+jwt"
PROOF_META: Final = "dev.countersign/proof"
MAX_TOOLS: Final = 2_000
"""Tools of which it is remembered that they want a signature."""


def parameters_claims(
    tool: str,
    arguments_hash: str,
    *,
    now: float,
    server: str | None = None,
    url: str | None = None,
    ath: str | None = None,
) -> dict[str, Any]:
    """What is signed, see ``gateway/identity/parameters.py``. ``arguments_hash``: hex; ``url``: of the MCP endpoint."""
    claims = {
        "jti": secrets.token_urlsafe(24),
        "iat": int(now),
        "server": server,
        "htu": url,
        "tool": tool,
        "args": b64url(bytes.fromhex(arguments_hash)),
        "ath": ath,
    }
    return {name: value for name, value in claims.items() if value is not None}


class Signatures:
    """``registered``: the operator has given the key to this caller; else it counts while the token is bound to it."""

    def __init__(self, key: ProofKey, url: str, now: Callable[[], float], *, registered: bool) -> None:
        self._key = key
        self._url = url
        self._now = now
        self._registered = registered
        self._bound = False
        self._wanted: set[str] = set()

    def wanted(self, message: Message) -> bool:
        """The gateway wants this call signed: whether it is worth sending once more, and signed then."""
        tool = value_of(message.params.get("name"))
        if not isinstance(tool, str) or tool in self._wanted or len(self._wanted) >= MAX_TOOLS:
            return False
        if self._registered or not self._bound:
            return False
        self._wanted.add(tool)
        return True

    def body(self, message: Message, body: bytes, credentials: Mapping[str, str]) -> bytes:
        """What goes out with these headers; made anew for each request, since a proof counts once."""
        scheme, _, token = credentials.get("authorization", "").partition(" ")
        self._bound = scheme == "DPoP"
        tool = value_of(message.params.get("name"))
        arguments = value_of(message.params.get("arguments")) if "arguments" in message.params else {}
        if not isinstance(tool, str) or not isinstance(arguments, dict):
            return body
        if not (self._registered or (self._bound and tool in self._wanted)):
            return body
        try:
            hashed = canonical_hash(arguments)
        except ValueError:
            return body  # the gateway says what is wrong with them
        ath = hash_of_token(token) if token else None
        claims = parameters_claims(tool, hashed, now=self._now(), url=self._url, ath=ath)
        # A host that signs by itself is left alone.
        return with_meta(body, PROOF_META, self._key.sign(TYPE, claims))
