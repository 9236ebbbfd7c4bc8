"""The bodies of the REST handshake (how-to guide, section 2): a parsed document -> one request of one phase. Pure.

Closed objects: a member that is not understood is refused, since whoever sent it believes that it counts. What the
caller says about sensitivity is allowed to be there and is read by nobody (conflict C03).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from gateway.canonical import canonical_hash
from gateway.door.call import PROOF_META, Client, Era, ToolCall
from gateway.door.headers import Headers
from gateway.door.tool_call import MAX_NAME_CHARS
from gateway.errors import HeaderMismatch, MalformedRequest
from gateway.identity.credentials import Credentials, credentials_of

Phase = Literal["authorize", "execute"]
PHASES: Final[Mapping[str, Phase]] = {"/authorize": "authorize", "/execute": "execute"}
"""Path -> phase."""
EPHEMERAL: Final = b"x-ephemeral-token"
PROTOCOL: Final = "rest"
MAX_PROOF_CHARS: Final = 16 * 1024
"""Characters of a compact JWS over the hash of the parameters; with a certificate chain in its header some 8 KiB."""
NO_TOKEN: Final = ""
"""The token of an execution that brings none: it was never handed out, and so it is refused like any such token."""

_COMMON: Final = frozenset({"sessionToken", "tool", "parameters", "metadata", "proof", "server"})
_MEMBERS: Final[Mapping[Phase, frozenset[str]]] = {
    "authorize": _COMMON,
    "execute": _COMMON | {"ephemeralToken"},
}


class Session(msgspec.Struct, frozen=True, rename="camel"):
    """What of a body says who asks, of which server, and with what: all that is read of a large one before that is
    known."""

    session_token: str | None = None
    server: str | None = None
    ephemeral_token: str | None = None


_SESSION: Final = msgspec.json.Decoder(Session)


def glimpse(body: bytes) -> Session:
    """The session of a body that is too large to be parsed strictly for a stranger. Fast, lenient, and never the last
    word: :func:`session_of` of the parsed document must say the same.

    :raises MalformedRequest: nothing of that kind.
    """
    try:
        return _SESSION.decode(body)
    except (ValueError, RecursionError):
        raise MalformedRequest("The body is not the JSON object of a handshake.", code="door.json") from None


def session_of(document: Any) -> Session:
    """The same of a parsed document. :raises MalformedRequest: no object, or members of another type."""
    if not isinstance(document, dict):
        raise _bad("The body is a JSON object.")
    return Session(
        _text(document, "sessionToken"),
        _text(document, "server", MAX_NAME_CHARS),
        _text(document, "ephemeralToken"),
    )


def credentials_in(headers: Headers, session: Session, path: str) -> Credentials:
    """Who asks: ``sessionToken``, or the header Authorization in its place; with both, they must be equal (C11).

    A proof of possession (RFC 9449) comes in its header, as everywhere, and names this door's own URL.

    :raises HeaderMismatch: header and body hold different tokens.
    :raises CredentialRefused: see :func:`~gateway.identity.credentials.credentials_of`.
    """
    authorization, dpop = headers.all(b"authorization"), headers.all(b"dpop")
    in_body = (
        None if session.session_token is None else session.session_token.encode("utf-8", "surrogatepass")
    )
    if in_body is not None and not authorization:
        authorization = [(b"DPoP " if dpop else b"Bearer ") + in_body]
    below = f"/{session.server}" if session.server else ""
    found = credentials_of(authorization, dpop, method="POST", below=below, beside=path)
    differ = (
        in_body is not None
        and found.bearer is not None
        and not hmac.compare_digest(found.bearer.sha256(), hashlib.sha256(in_body).digest())
    )
    if differ:
        # Attack: somebody on the way lets a request pass by the one, and it would run by the other.
        raise HeaderMismatch("The header Authorization and the member sessionToken differ; send one of them.")
    return found


def read_rest_call(
    phase: Phase,
    document: Mapping[str, Any],
    headers: Headers,
    *,
    server: str,
    call_id: str,
    received_at: float,
    credentials: Credentials,
) -> ToolCall:
    """One request as the call it stands for, hashed. In the second phase its ``token`` is never None.

    :raises MalformedRequest: ``door.params``: a member is missing, of another type, or not of this body; the
        parameters have no canonical form.
    :raises HeaderMismatch: ``X-Ephemeral-Token`` is there and is not the member ``ephemeralToken``.
    """
    unknown = sorted(document.keys() - _MEMBERS[phase])
    if unknown:
        raise _bad(f"The body has a member {unknown[0][:64]!r}, which /{phase} does not know; leave it out.")
    tool, parameters = document.get("tool"), document.get("parameters")
    if not isinstance(tool, str) or not 1 <= len(tool) <= MAX_NAME_CHARS:
        raise _bad(f"The member tool is the name of a tool: 1 to {MAX_NAME_CHARS} characters.")
    if not isinstance(parameters, dict):
        raise _bad("The member parameters is an object.")
    if not isinstance(document.get("metadata", {}), dict | None):
        raise _bad("The member metadata is an object.")
    proof = _text(document, "proof", MAX_PROOF_CHARS)
    token = _token(document, headers) if phase == "execute" else None
    try:
        arguments_hash = canonical_hash(parameters)
    except ValueError as problem:
        raise _bad(f"The member parameters is {problem}.") from None
    return ToolCall(
        call_id=call_id,
        received_at=received_at,
        server=server,
        tool=tool,
        arguments=parameters,
        arguments_hash=arguments_hash,
        era=Era.REST,
        protocol=PROTOCOL,
        client=Client(),
        credentials=credentials,
        token=token,
        meta={} if proof is None else {PROOF_META: proof},
    )


def _token(document: Mapping[str, Any], headers: Headers) -> str:
    """The member; the header alone is no token (R022, C11)."""
    token = _text(document, "ephemeralToken") or NO_TOKEN
    header = headers.one(EPHEMERAL)
    if header is not None and token and not hmac.compare_digest(header.encode("latin-1"), token.encode()):
        raise HeaderMismatch("The header X-Ephemeral-Token and the member ephemeralToken differ.")
    return token


def _text(document: Mapping[str, Any], name: str, limit: int | None = None) -> str | None:
    """A member that is text, or is not there."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _bad(f"The member {name} is text.")
    if limit is not None and not 1 <= len(value) <= limit:
        raise _bad(f"The member {name} has 1 to {limit} characters.")
    return value


def _bad(text: str) -> MalformedRequest:
    return MalformedRequest(text, code="door.params")
