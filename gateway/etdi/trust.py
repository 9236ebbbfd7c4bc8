"""Whom the operator trusts: issuers of tool tokens, and providers' own keys. Two lists (C56), frozen. Pure.

An issuer says which tool a token is for, and only for the providers it is listed to speak for: a trusted issuer of one
provider must not be able to vouch for another's tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, Literal

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.etdi.profiles import PROFILES, Profile, ProfileName
from gateway.identity.discovery import metadata_urls
from gateway.identity.jwk import MAX_RSA_BITS, MIN_RSA_BITS, MIN_RSA_EXPONENT, SUPPORTED_ALGORITHMS

SignatureAlgorithm = Literal["ES256", "RS256"]
SIGNATURE_ALGORITHMS: Final[tuple[SignatureAlgorithm, ...]] = ("ES256", "RS256")
MAX_LIFETIME_S: Final = 24 * 3600
"""Seconds. A tool token is in everybody's hands (C55); one that lives longer is a password."""
MAX_LEEWAY_S: Final = 120
_TENANT: Final = re.compile(
    r"https://(?:sts\.windows\.net/(?P<v1>[0-9a-f-]{36})/|login\.microsoftonline\.com/(?P<v2>[0-9a-f-]{36})/v2\.0)"
)
"""One tenant by its id. ``common``, ``organizations`` and ``consumers`` are everybody's (C30)."""


class TokenIssuer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One issuer of tool tokens.

    ``issuer`` is the exact ``iss`` (C18) and ``audience`` the one ``aud``. ``names``: what definitions may call it in
    ``oauth.provider``, besides its URL. ``providers``: ids of the tool providers it may speak for. ``algorithms`` is an
    allow-list, within which the key decides (C57). ``scope_map``: a scope of this issuer -> the permission it grants.

    :raises ValueError: a setting that would be unsafe or could not work.
    """

    issuer: str
    audience: str
    providers: tuple[str, ...]
    names: tuple[str, ...] = ()
    profile: ProfileName = "custom"
    algorithms: tuple[str, ...] = ("RS256", "ES256", "EdDSA")
    max_lifetime_s: int = 3600
    leeway_s: int = 30
    require_definition_hash: bool = False
    scope_map: dict[str, str] | None = None

    def __post_init__(self) -> None:
        metadata_urls(self.issuer)
        if not self.audience:
            raise ValueError("audience must not be empty")
        if not self.providers or not all(self.providers) or not all(self.names):
            raise ValueError("providers must name the tool providers this issuer may speak for")
        if not self.algorithms or not SUPPORTED_ALGORITHMS.issuperset(self.algorithms):
            raise ValueError(f"algorithms must be some of {', '.join(sorted(SUPPORTED_ALGORITHMS))}")
        if not 0 < self.max_lifetime_s <= MAX_LIFETIME_S:
            raise ValueError(f"max_lifetime_s must be within 1..{MAX_LIFETIME_S}")
        if not 0 <= self.leeway_s <= MAX_LEEWAY_S:
            raise ValueError(f"leeway_s must be within 0..{MAX_LEEWAY_S}")
        if self.profile == "azure" and self.tenant is None:
            raise ValueError("an azure issuer names one tenant by its id, as v1 or v2 tokens do")

    @property
    def rules(self) -> Profile:
        """How it writes claims and scopes."""
        return PROFILES[self.profile]

    @property
    def tenant(self) -> str | None:
        """The tenant in an Azure issuer's URL."""
        match = _TENANT.fullmatch(self.issuer)
        return None if match is None else match["v1"] or match["v2"]


class ProviderKey(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's public key for direct signatures. Its type decides the algorithm.

    ``without_token``: its signature is enough where a definition has no token. ``expires``: unix seconds.
    """

    provider: str
    key_id: str
    algorithm: SignatureAlgorithm
    key: Any
    without_token: bool = False
    expires: int | None = None


class Trust:
    """Both lists, to be looked things up in.

    :raises ValueError: one issuer, one name or one key id stands for two.
    """

    def __init__(self, issuers: Iterable[TokenIssuer] = (), keys: Iterable[ProviderKey] = ()) -> None:
        self._issuers: dict[str, TokenIssuer] = {}
        self._keys: dict[str, dict[str, ProviderKey]] = {}
        for issuer in issuers:
            for name in {issuer.issuer, *issuer.names}:
                if name in self._issuers:
                    raise ValueError(f"{name} stands for two issuers")
                self._issuers[name] = issuer
        for key in keys:
            if key.key_id in self._keys.setdefault(key.provider, {}):
                raise ValueError(f"{key.provider} has two keys of the id {key.key_id}")
            self._keys[key.provider][key.key_id] = key

    def __bool__(self) -> bool:
        return bool(self._issuers or self._keys)

    @property
    def issuers(self) -> tuple[TokenIssuer, ...]:
        """Each once."""
        return tuple({one.issuer: one for one in self._issuers.values()}.values())

    def issuer(self, name: str) -> TokenIssuer | None:
        """By its URL or by one of its names, exactly: no prefix, no suffix, no wildcard (C18)."""
        return self._issuers.get(name)

    def key(self, provider: str, key_id: str | None) -> ProviderKey | None:
        """By id; without one, the provider's only key."""
        keys = self._keys.get(provider, {})
        if key_id is not None:
            return keys.get(key_id)
        return next(iter(keys.values())) if len(keys) == 1 else None

    def speaks_for(self, provider: str) -> bool:
        """Whether anybody here could prove a tool of this provider (trust in providers, not in issuers)."""
        return provider in self._keys or any(provider in one.providers for one in self._issuers.values())


def read_provider_key(
    pem: bytes, *, provider: str, key_id: str, without_token: bool = False, expires: int | None = None
) -> ProviderKey:
    """A PEM public key. :raises ValueError: none, or one that is too weak or of another kind (R116)."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("not a PEM public key") from None
    algorithm: SignatureAlgorithm
    if isinstance(key, RSAPublicKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS or key.public_numbers().e < MIN_RSA_EXPONENT:
            raise ValueError(f"an RSA key has {MIN_RSA_BITS} to {MAX_RSA_BITS} bits and no tiny exponent")
        algorithm = "RS256"
    elif isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        algorithm = "ES256"
    else:
        raise ValueError("a provider's key is RSA (RS256) or on P-256 (ES256)")
    return ProviderKey(
        provider=provider,
        key_id=key_id,
        algorithm=algorithm,
        key=key,
        without_token=without_token,
        expires=expires,
    )
