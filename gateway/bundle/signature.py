"""``.signatures.json``: one JWT over the hashes of all files (OPA, management/bundles, "Signing"). Pure.

Always ES256: OPA takes the algorithm from its own configuration, and so do we; the token's head is not asked.
``scope`` says what the bundle is for, and must be the very one that the verifier expects: a sandbox's policy, signed
with the same key, is then no policy for production.
"""

from __future__ import annotations

from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from gateway.bundle.archive import SIGNATURES
from gateway.bundle.hashing import ALGORITHM, file_hash, strict_object
from gateway.bundle.keys import thumbprint
from gateway.policy.engine import PolicyRefused

ES256 = "ES256"
_DEFAULT_PLUGIN = "_default"
"""What `opa build` names where nobody named one."""
PATCH = "patch.json"
"""Makes a *delta* bundle, whose signature OPA does not look at."""


class SignatureRefused(PolicyRefused):
    """The bundle is not what its signature says, or not signed by this key for this scope."""

    code = "policy.signature_refused"


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature says of itself. Nothing of it is true before it was verified."""

    key_id: str
    scope: str
    files: dict[str, str]


def signed(
    files: dict[str, bytes], key: EllipticCurvePrivateKey, *, scope: str = "", key_id: str | None = None
) -> dict[str, bytes]:
    """The same files with a signature; one that is there is replaced. :raises PolicyRefused: a file without a hash."""
    plain = {name: content for name, content in files.items() if name != SIGNATURES}
    _no_delta(plain)
    named = key_id or thumbprint(key.public_key())
    hashes = [
        {"name": name, "hash": file_hash(name, content), "algorithm": ALGORITHM}
        for name, content in sorted(plain.items())
    ]
    # Named in both places: in the head as OPA wants it today, in the claims as its older releases do.
    claims: dict[str, Any] = {"files": hashes, "keyid": named}
    if scope:
        claims["scope"] = scope
    token = jwt.encode(claims, key, algorithm=ES256, headers={"kid": named})
    return {**plain, SIGNATURES: msgspec.json.encode({"signatures": [token]})}


def verify(files: dict[str, bytes], key: EllipticCurvePublicKey, *, scope: str = "") -> Signed:
    """The bundle is whole, and signed by this key for this scope.

    :raises SignatureRefused: not signed, another key or scope, a file more, less or other than was signed.
    """
    plain = {name: content for name, content in files.items() if name != SIGNATURES}
    _no_delta(plain)
    try:
        claims = jwt.decode(_token(files), key, algorithms=[ES256], options={"verify_aud": False})
    except jwt.PyJWTError:
        raise SignatureRefused("the bundle was not signed by this key, or was changed since") from None
    said = _said(claims)
    if said.scope != scope:
        raise SignatureRefused(f"the bundle is signed for the scope {said.scope!r}, not for {scope!r}")
    for name in sorted(plain.keys() | said.files.keys()):
        if name not in said.files:
            raise SignatureRefused(f"{name}: is in the bundle, and not in its signature")
        if name not in plain:
            raise SignatureRefused(f"{name}: is in the signature, and not in the bundle")
        if file_hash(name, plain[name]) != said.files[name]:
            raise SignatureRefused(f"{name}: was changed since it was signed")
    return said


def unverified(files: dict[str, bytes]) -> Signed | None:
    """What the signature claims, for people who look; None for a bundle without one. :raises SignatureRefused:"""
    if SIGNATURES not in files:
        return None
    try:
        return _said(jwt.decode(_token(files), options={"verify_signature": False}))
    except jwt.PyJWTError:
        raise SignatureRefused(f"{SIGNATURES}: is no JWT") from None


def _token(files: dict[str, bytes]) -> str:
    if SIGNATURES not in files:
        raise SignatureRefused("the bundle is not signed")
    document = strict_object(SIGNATURES, files[SIGNATURES])
    tokens = document.get("signatures")
    if not isinstance(tokens, list) or len(tokens) != 1 or not isinstance(tokens[0], str):
        raise SignatureRefused(f"{SIGNATURES}: holds not exactly one signature")
    if document.get("plugin", "") not in ("", _DEFAULT_PLUGIN):
        raise SignatureRefused(f"{SIGNATURES}: asks for a plugin to verify it")
    return tokens[0]


def _said(claims: Any) -> Signed:
    files: dict[str, str] = {}
    listed = claims.get("files")
    if not isinstance(listed, list):
        raise SignatureRefused("the signature names no files")
    for one in listed:
        match one:
            case {"name": str(name), "hash": str(digest), "algorithm": str(algorithm)} if name not in files:
                if algorithm != ALGORITHM:  # MD5 and SHA-1 are among those that OPA takes
                    raise SignatureRefused(f"{name}: is hashed with {algorithm}, not with {ALGORITHM}")
                files[name] = digest.lower()
            case _:
                raise SignatureRefused("the signature's list of files cannot be read")
    key_id, scope = claims.get("keyid", ""), claims.get("scope", "")
    if not isinstance(key_id, str) or not isinstance(scope, str):
        raise SignatureRefused("the signature's claims cannot be read")
    return Signed(key_id=key_id, scope=scope, files=files)


def _no_delta(files: dict[str, bytes]) -> None:
    if any(name.rsplit("/", 1)[-1] == PATCH for name in files):
        raise SignatureRefused(f"{PATCH}: a delta bundle is not covered by its signature")
