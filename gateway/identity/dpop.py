"""One DPoP proof against one request (RFC 9449 section 4.3), except for its single use. Pure.

The proof brings its own key, so its signature says nothing by itself. What counts is the last check: the key's
thumbprint is the one that the issuer wrote into the access token.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any, Final

import jwt
import msgspec

from gateway.identity.credentials import PresentedProof, Secret
from gateway.identity.endpoints import parse_endpoint
from gateway.identity.errors import Code, CredentialRefused
from gateway.identity.jose import open_jws, parse_claims
from gateway.identity.jwk import is_public, verification_key

DPOP_ALGORITHMS: Final = ("ES256", "EdDSA", "PS256", "RS256")
"""What can be configured. Asymmetric only (RFC 9449 section 4.2): ``none`` and HS* are not here."""
MAX_AGE_S: Final = 60
"""Seconds a proof may be old. A proof is made for one request, so this is time on the wire and clock error."""
LEEWAY_S: Final = 5
"""Seconds a client's clock may be ahead."""
MAX_JTI_CHARS: Final = 256
"""Characters; a UUID has 36. It is hashed before it is kept."""

_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# Without `none` and HS*: what is not registered cannot be chosen.
_JWS: Final = jwt.PyJWS(algorithms=list(DPOP_ALGORITHMS))


class ProofRules(msgspec.Struct, frozen=True, kw_only=True):
    """``resource``: the gateway's canonical URL. ``base``: what the doors beside it stand at; empty where there are
    none, and then no proof is for one. ``algorithms``: the allow-list, some of :data:`DPOP_ALGORITHMS`.

    :raises ValueError: no algorithm, or another one.
    """

    resource: str
    base: str = ""
    algorithms: tuple[str, ...] = ("ES256", "EdDSA")

    def __post_init__(self) -> None:
        if not self.algorithms or not set(DPOP_ALGORITHMS).issuperset(self.algorithms):
            raise ValueError(f"algorithms must be some of {', '.join(DPOP_ALGORITHMS)}")


def check_proof(
    presented: PresentedProof,
    *,
    token: Secret,
    thumbprint: str,
    rules: ProofRules,
    now: float,
    nonce_good: Callable[[object], bool] | None = None,
) -> str:
    """The proof's ``jti``, when it is good for this request, this token and the key that the token is bound to.

    ``nonce_good`` None: no nonce is asked for, and one that is there means nothing. NOT checked: that the ``jti``
    is new.

    :raises CredentialRefused: ``identity.proof_invalid`` or ``identity.proof_nonce``.
    """
    claims = _signed_claims(presented.jws.expose(), thumbprint, rules)
    jti, issued = claims.get("jti"), claims.get("iat")
    if not isinstance(jti, str) or not 0 < len(jti) <= MAX_JTI_CHARS:
        raise _refused("jti is missing or no string of sensible length")
    if claims.get("htm") != presented.method:
        raise _refused("htm is not the request's method")
    here = _normalised(
        rules.base + presented.beside if presented.beside else rules.resource + presented.below
    )
    if here is None or _normalised(claims.get("htu")) != here:
        raise _refused("htu is not the request's URL")
    ath = base64.urlsafe_b64encode(token.sha256()).rstrip(b"=").decode()
    if claims.get("ath") != ath:
        raise _refused("ath is not the hash of the access token")
    if type(issued) is not int or not now - MAX_AGE_S - LEEWAY_S <= issued <= now + LEEWAY_S:
        raise _refused("iat is missing, too old or in the future")
    if nonce_good is not None and not nonce_good(claims.get("nonce")):
        raise CredentialRefused(Code.PROOF_NONCE)
    return jti


def _signed_claims(jws: bytes, thumbprint: str, rules: ProofRules) -> dict[str, Any]:
    """The claims, if the key that the token is bound to signed them."""
    try:
        opened = open_jws(jws)
    except CredentialRefused as problem:
        raise _refused(problem.because) from None
    if opened is None:
        raise _refused("the proof is no JWS")
    header, payload = opened
    if header.get("typ") != "dpop+jwt":
        raise _refused("typ is not dpop+jwt")
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if not isinstance(algorithm, str) or algorithm not in rules.algorithms:
        raise _refused("the algorithm is not allowed")
    if not isinstance(jwk, dict) or not is_public(jwk):
        raise _refused("jwk is missing or holds private or symmetric key material")
    key = verification_key(jwk)
    if key is None or algorithm not in key.algorithms:
        raise _refused("jwk is no key for this algorithm")
    # Before the signature: a stranger's key costs a hash, not a verification.
    if key.thumbprint != thumbprint:
        raise _refused("the token is bound to another key")
    try:
        _JWS.decode_complete(jws, key.key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError):
        raise _refused("the signature does not verify") from None
    try:
        return parse_claims(payload)
    except CredentialRefused as problem:
        raise _refused(problem.because) from None


def normalised_url(url: str) -> str:
    """Syntax- and scheme-based normalising (RFC 3986 sections 6.2.2 and 6.2.3), without query and fragment.

    Dot segments are not resolved but refused: no path of ours has any.

    :raises ValueError: no absolute http(s) URL, or one with dot segments.
    """
    endpoint = parse_endpoint(url.partition("#")[0].partition("?")[0])
    origin = endpoint.origin.lower()
    origin = origin.removesuffix(_DEFAULT_PORT[origin.partition(":")[0]])
    path = _ESCAPE.sub(_escape, endpoint.path)
    if any(segment in (".", "..") for segment in path.split("/")):
        raise ValueError("the URL has dot segments")
    return origin + (path or "/")


def _escape(match: re.Match[str]) -> str:
    char = chr(int(match[1], 16))
    return char if char in _UNRESERVED else match[0].upper()


def _normalised(htu: object) -> str | None:
    if not isinstance(htu, str):
        return None
    try:
        return normalised_url(htu)
    except ValueError:
        return None


def _refused(because: str) -> CredentialRefused:
    return CredentialRefused(Code.PROOF_INVALID, because)
