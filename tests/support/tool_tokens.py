"""Tool definitions, and the tokens and signatures that prove them or do not. Keys are generated, nothing is stored."""

from __future__ import annotations

import base64
import copy
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.canonical import canonical_bytes
from gateway.catalog.definition import Definition, read_definition, signed_part
from gateway.catalog.tool import ETDI_META_KEY
from gateway.catalog.verification import Verdict
from gateway.etdi.guarded import GuardedTokens
from gateway.etdi.introspection import Introspection
from gateway.etdi.token import IssuerKeys, TokenVerifier
from gateway.etdi.trust import ProviderKey, TokenIssuer, Trust, read_provider_key
from gateway.etdi.verifier import EtdiVerifier, Rules
from gateway.identity.jwk import parse_key_set
from gateway.identity.keys import LocalKeys
from tests.support.clock import ManualClock
from tests.support.keys import SigningKey, key_set, signing_key

ISSUER = "https://idp.example.com/"
AUDIENCE = "https://gateway.example.com/etdi"
PROVIDER = "bank"
TOOL_ID = "bank.pay"
NOW = 1_800_000_000.0


def issuer(**members: Any) -> TokenIssuer:
    """A trusted one."""
    made = {"issuer": ISSUER, "audience": AUDIENCE, "providers": (PROVIDER,), "names": ("idp",), **members}
    return TokenIssuer(**made)


def claims(**members: Any) -> dict[str, Any]:
    """Claims that fit :func:`tool`; a member given as None is left out."""
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": PROVIDER,
        "iat": int(NOW) - 10,
        "exp": int(NOW) + 3000,
        "tool_id": TOOL_ID,
        "tool_version": "1.0.0",
        "tool_provider": PROVIDER,
        "scope": "tool:bank:pay tool:bank:read",
        **members,
    }
    return {name: value for name, value in made.items() if value is not None}


def token(key: SigningKey | None = None, *, header: Mapping[str, Any] | None = None, **members: Any) -> str:
    """A token over :func:`claims`."""
    return (key or signing_key()).sign(claims(**members), **{"typ": "etdi+jwt", **(header or {})})


def wire(name: str = "pay", *, oauth: Any = None, **members: Any) -> dict[str, Any]:
    """A tool on the MCP wire with its ETDI block; ``members`` are of the block."""
    block: dict[str, Any] = {
        "id": TOOL_ID,
        "version": "1.0.0",
        "provider": {"id": PROVIDER, "name": "The Bank"},
        "permissions": ["bank:pay", "bank:read"],
        **members,
    }
    if oauth is not None:
        block["oauth"] = oauth
    return {
        "name": name,
        "description": f"Does {name}.",
        "inputSchema": {"type": "object", "properties": {"note": {"type": "string", "default": "-"}}},
        "_meta": {ETDI_META_KEY: {key: value for key, value in block.items() if value is not None}},
    }


def tool(jwt: str | None = None, **members: Any) -> Definition:
    """A definition that carries a token; without one, a good token."""
    carried = token() if jwt is None else jwt
    return read_definition(wire(**{"oauth": {"token": carried, "provider": "idp"}, **members}))


def signed(
    made: Mapping[str, Any],
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    *,
    key_id: str | None = "provider-1",
) -> dict[str, Any]:
    """The same tool with a direct signature of its provider."""
    copied = copy.deepcopy(dict(made))
    block = copied["_meta"][ETDI_META_KEY]
    block["signatureAlgorithm"] = "ES256" if isinstance(key, ec.EllipticCurvePrivateKey) else "RS256"
    if key_id is not None:
        block["keyId"] = key_id
    data = canonical_bytes(signed_part(copied))
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(data, ec.ECDSA(SHA256()))
    else:
        signature = key.sign(data, padding.PKCS1v15(), SHA256())
    block["signature"] = base64.b64encode(signature).decode()
    return copied


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """The public half, as an operator gets it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def provider_key(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, key_id: str = "provider-1", **members: Any
) -> ProviderKey:
    """The public half, trusted."""
    return read_provider_key(pem_of(key), provider=PROVIDER, key_id=key_id, **members)


def local_keys(*keys: SigningKey) -> LocalKeys:
    """The issuer's set, known without a question."""
    return LocalKeys(parse_key_set(key_set(*(keys or (signing_key(),)))))


class Bench:
    """A verifier with what it stands on; everything can be replaced through the constructor."""

    def __init__(
        self,
        *,
        trusted: TokenIssuer | None = None,
        keys: IssuerKeys | None = None,
        provider_keys: Sequence[ProviderKey] = (),
        introspection: Introspection | None = None,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        sensitive: bool = False,
        clock: ManualClock | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        self.clock = clock or ManualClock(NOW)
        self.told: list[str] = []
        trusted = trusted or issuer()
        self.trust = Trust([trusted], provider_keys)
        self.tokens = TokenVerifier(
            self.trust,
            keys={trusted.issuer: keys or local_keys()},
            introspection={} if introspection is None else {trusted.issuer: introspection},
            clock=self.clock,
        )
        self.verifier = EtdiVerifier(
            self.trust,
            GuardedTokens(self.tokens, timeout_s=timeout_s, monotonic=self.clock),
            rules,
            sensitive=lambda server, tool: sensitive,
            clock=self.clock,
            tell=lambda event, details: self.told.append(event),
        )

    async def verdict(self, definition: Definition, *, server: str = "bank") -> Verdict:
        """Of one definition."""
        (found,) = await self.verifier.verify(server, [definition])
        return found

    async def status(self, definition: Definition) -> tuple[str, str | None, str | None]:
        """Status, evidence and code of one definition."""
        etdi = (await self.verdict(definition)).etdi
        return etdi.status.value, etdi.evidence, etdi.error

    async def refusal(self, definition: Definition) -> tuple[str | None, str]:
        """Code and text of a definition that must not verify."""
        verdict = await self.verdict(definition)
        assert verdict.etdi.status != "verified"
        return verdict.etdi.error, verdict.failure.error
