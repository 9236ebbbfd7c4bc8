"""Whether a caller signed exactly these parameters with a key of its own (R033, C08). DPoP-like, each proof good once.

A compact JWS (RFC 7515), carried as ``_meta["dev.countersign/proof"]`` beside the arguments, never in them::

    header  typ "countersign-parameters+jwt", alg ES256 or EdDSA, and either jwk (public) or kid (of a registered key)
    claims  jti, iat (unix seconds), tool, args (base64url SHA-256 of the arguments' RFC 8785 bytes),
            server (its name) or htu (the URL of its MCP endpoint), ath (RFC 9449 section 4.2) of the access token

The key counts when the caller's token is bound to it (``cnf.jkt``) or the operator registered it for the caller.
A bad proof is a fact for the policy, not an error: the policy says what follows.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import jwt
import msgspec

from gateway.identity.caller import Caller, Proof
from gateway.identity.credentials import Credentials
from gateway.identity.dpop import LEEWAY_S, MAX_AGE_S, MAX_JTI_CHARS, normalised_url
from gateway.identity.errors import CredentialRefused
from gateway.identity.jose import open_jws, parse_claims
from gateway.identity.jwk import VerificationKey, is_public, verification_key
from gateway.identity.proofs import REMEMBER_S, UsedOnce
from gateway.state.store import Space

TYP: Final = "countersign-parameters+jwt"
ALGORITHMS: Final = ("ES256", "EdDSA")
MAX_JWS_CHARS: Final = 4096
"""Characters of a proof; one with a P-256 key has about 700. What is longer is not even opened."""
ABSENT: Final = Proof()
_GOOD: Final = Proof(present=True, valid=True)
_BAD: Final = Proof(present=True, valid=False)
_JWS: Final = jwt.PyJWS(algorithms=list(ALGORITHMS))


class CallerKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key of one caller (``identity.keys``): of a subject of an issuer, or narrower, of one client for it.

    :raises ValueError: no usable public key, or one for other algorithms than :data:`ALGORITHMS`.
    """

    issuer: str
    subject: str
    jwk: dict[str, Any]
    client_id: str | None = None

    def __post_init__(self) -> None:
        key = verification_key(self.jwk) if is_public(self.jwk) else None
        if key is None or key.algorithms.isdisjoint(ALGORITHMS):
            raise ValueError(f"a caller's jwk is a public key for {' or '.join(ALGORITHMS)}")

    def belongs_to(self, caller: Caller) -> bool:
        """Whether the caller may sign with it."""
        same = (self.issuer, self.subject) == (caller.issuer, caller.subject)
        return same and self.client_id in (None, caller.client_id)


class ParameterProofs:
    """Establishes the fact. ``resource``: the gateway's canonical URL, to which ``htu`` is held."""

    def __init__(
        self,
        store: UsedOnce,
        *,
        resource: str,
        keys: Iterable[CallerKey] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._resource = resource
        self._clock = clock
        self._keys = tuple((one, _known(one.jwk)) for one in keys)

    async def check(
        self,
        jws: object,
        *,
        caller: Caller,
        credentials: Credentials,
        server: str,
        tool: str,
        arguments_hash: str,
    ) -> Proof:
        """Whether ``jws`` is a proof of this call. ``arguments_hash``: 64 hex digits.

        :raises StoreUnavailable: nobody can tell whether it was used before.
        """
        if not isinstance(jws, str) or len(jws) > MAX_JWS_CHARS or not jws.isascii():
            return _BAD
        try:
            signed = self._signed(jws.encode(), caller)
        except CredentialRefused:
            return _BAD
        if signed is None:
            return _BAD
        thumbprint, claims = signed
        jti, issued = claims.get("jti"), claims.get("iat")
        now = self._clock()
        good = (
            isinstance(jti, str)
            and 0 < len(jti) <= MAX_JTI_CHARS
            and type(issued) is int
            and now - MAX_AGE_S - LEEWAY_S <= issued <= now + LEEWAY_S
            and claims.get("tool") == tool
            and claims.get("args") == _b64(bytes.fromhex(arguments_hash))
            and self._here(claims, credentials, server)
            and _token_fits(claims, credentials)
        )
        if not good:
            return _BAD
        # Spent last: nobody can burn a jti without the key.
        key = hashlib.sha256(f"parameters.{thumbprint}.{jti}".encode("utf-8", "surrogatepass")).hexdigest()
        fresh = await self._store.add(Space.PROOF, key, b"", ttl_s=REMEMBER_S)
        return _GOOD if fresh else _BAD

    def _signed(self, jws: bytes, caller: Caller) -> tuple[str, dict[str, Any]] | None:
        """The key's thumbprint and the claims, if a key of this caller signed them. :raises CredentialRefused:"""
        opened = open_jws(jws)
        if opened is None:
            return None
        header, payload = opened
        algorithm = header.get("alg")
        if header.get("typ") != TYP or not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            return None
        key = self._key_of(header, caller)
        if key is None or algorithm not in key.algorithms:
            return None
        try:
            _JWS.decode_complete(jws, key.key, algorithms=[algorithm])
        except (jwt.PyJWTError, ValueError, TypeError):
            return None
        return key.thumbprint, parse_claims(payload)

    def _key_of(self, header: Mapping[str, Any], caller: Caller) -> VerificationKey | None:
        """A stranger's key costs a hash, not a verification."""
        own = [key for one, key in self._keys if one.belongs_to(caller)]
        jwk, kid = header.get("jwk"), header.get("kid")
        if jwk is None:
            named = [key for key in own if isinstance(kid, str) and kid in (key.kid, key.thumbprint)]
            return named[0] if len(named) == 1 else None
        key = verification_key(jwk) if isinstance(jwk, dict) and is_public(jwk) else None
        if key is None:
            return None
        return key if key.thumbprint in {caller.key_thumbprint, *(one.thumbprint for one in own)} else None

    def _here(self, claims: Mapping[str, Any], credentials: Credentials, server: str) -> bool:
        """Whether the proof names this server; where it names it twice, both times."""
        named, url = claims.get("server"), claims.get("htu")
        if named is None and url is None:
            return False
        below = f"/{credentials.server}" if credentials.server else ""
        return named in (None, server) and (url is None or _same_url(url, self._resource + below))


def _known(jwk: dict[str, Any]) -> VerificationKey:
    key = verification_key(jwk)
    assert key is not None  # CallerKey has looked
    return key


def _same_url(said: object, here: str) -> bool:
    try:
        return isinstance(said, str) and normalised_url(said) == normalised_url(here)
    except ValueError:
        return False


def _token_fits(claims: Mapping[str, Any], credentials: Credentials) -> bool:
    """Attack: a proof that is tied to no token, captured and shown with another token of a caller with the same key."""
    if credentials.bearer is None:
        return "ath" not in claims
    return claims.get("ath") == _b64(credentials.bearer.sha256())


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
