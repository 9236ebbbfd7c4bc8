"""Tokens and assertions under another algorithm than their key's: ``none``, HMAC keyed with what is public (C57)."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.idp import pem_of, running_idp
from tests.support.keys import b64url, forge

GRANT = {"grant_type": "client_credentials"}
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def hmac_forged(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A JWS by HS256 with that secret."""
    signed = f"{b64url(msgspec.json.encode(header))}.{b64url(msgspec.json.encode(claims))}"
    return f"{signed}.{b64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "nOnE", "HS256", "HS512", "ES384", "RS256", "PS256", "EdDSA", ""]
)
async def test_no_header_chooses_how_a_token_is_verified(tmp_path: Path, algorithm: str) -> None:
    """Introspection says inactive; so does it for the right algorithm's name over a wrong signature."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        verifier = await idp.client("verifier", introspects=True, scopes=(), tools=())
        claims = await idp.verified(await idp.token(acme))
        kid, jwk = next(iter((await idp.jwks()).items()))
        header = {"alg": algorithm, "kid": kid, "typ": "etdi+jwt"}
        secrets = [msgspec.json.encode(jwk), kid.encode(), jwk["x"].encode(), b""]
        forged = [forge(header, claims, b""), forge(header, claims)]
        forged += [hmac_forged(header, claims, secret) for secret in secrets]
        for one in forged:
            assert not await idp.active(verifier, one)


@pytest.mark.parametrize("algorithm", ["none", "HS256", "RS256"])
async def test_no_header_chooses_how_a_client_is_known(tmp_path: Path, algorithm: str) -> None:
    """The provider's public key is public: as an HMAC's secret it is everybody's."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        now = int(idp.clock())
        me = acme.provider.client_id
        claims = {"iss": me, "sub": me, "aud": idp.url, "iat": now, "exp": now + 60, "jti": "j"}
        header = {"alg": algorithm, "typ": "JWT"}
        for secret in (
            pem_of(acme.key.private).encode(),
            msgspec.json.encode(acme.provider.keys[0].jwk),
            b"",
        ):
            for shown in (hmac_forged(header, claims, secret), forge(header, claims, b"")):
                answer = await idp.ask(None, **GRANT, client_assertion_type=ASSERTION, client_assertion=shown)
                assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert await idp.shelves.tokens.all() == []
