"""Callers of an OAuth issuer at a running gateway: tokens, the keys they are bound to, and proofs, honest or not."""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from gateway.identity.jwk import jwk_thumbprint
from gateway.settings.model import DpopSettings, IdentitySettings, IssuerSettings
from tests.support.calls import READ
from tests.support.house import House
from tests.support.keys import SigningKey, key_set, signing_key

ISSUER = "https://idp.example"
ISSUER_KEY = signing_key("ES256", "issuer")
CLIENT_KEY = signing_key("ES256", "client")
THIEFS_KEY = signing_key("ES256", "thief")


def trusting(
    folder: Path, *, dpop: DpopSettings | None = None, scopes: tuple[str, ...] = (), **issuer: Any
) -> IdentitySettings:
    """Settings with one issuer, whose keys are in a file: nobody has to be asked for them."""
    path = folder / "issuer-keys.json"
    path.write_bytes(key_set(ISSUER_KEY))
    one = IssuerSettings(issuer=ISSUER, jwks_file=str(path), role_claim=("roles",), **issuer)
    return IdentitySettings(issuers=(one,), dpop=dpop or DpopSettings(), scopes_supported=scopes)


def token_for(house: House, *, bound: bool = True, key: SigningKey = CLIENT_KEY, **changed: Any) -> str:
    """A JWT access token (RFC 9068) for the gateway; ``bound`` to ``key``. A claim given as None is left out."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": resource(house),
        "client_id": "host",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "exp": now + 600,
        "roles": ["agent"],
        "cnf": {"jkt": jwk_thumbprint(key.public_jwk())} if bound else None,
        **changed,
    }
    return ISSUER_KEY.sign({name: value for name, value in claims.items() if value is not None})


def proof_for(
    house: House,
    token: str,
    *,
    key: SigningKey = CLIENT_KEY,
    header: Mapping[str, Any] | None = None,
    server: str = "",
    **changed: Any,
) -> str:
    """A new DPoP proof for a POST to the gateway with ``token``; claims and header members can be ``changed``."""
    claims = {
        "jti": str(uuid.uuid4()),
        "htm": "POST",
        "htu": resource(house, server),
        "iat": int(time.time()),
        "ath": ath(token),
        **changed,
    }
    jwk = key.public_jwk(kid=None, use=None)
    return key.sign(claims, **{"typ": "dpop+jwt", "jwk": jwk, "kid": None, **(header or {})})


def resource(house: House, server: str = "") -> str:
    """What tokens name as their audience, and proofs as their target."""
    return f"{house.settings.public_url}/mcp" + (f"/{server}" if server else "")


def ath(token: str) -> str:
    """RFC 9449 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def shown(token: str, proof: str | None = None) -> dict[str, str]:
    """The header fields: DPoP with a proof, Bearer without."""
    if proof is None:
        return {"authorization": f"Bearer {token}"}
    return {"authorization": f"DPoP {token}", "dpop": proof}


async def read(house: House, headers: Mapping[str, str], **how: Any) -> httpx.Response:
    """``list_invoices`` (class 4) with these credentials: if it is let in, PayPal hears of it."""
    params = {"name": "list_invoices", "arguments": READ}
    return await house.rpc("tools/call", params, token=None, headers=headers, **how)


def challenges(response: httpx.Response) -> list[str]:
    """Each WWW-Authenticate field."""
    return response.headers.get_list("www-authenticate")
