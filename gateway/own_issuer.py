"""The identity provider that this gateway mounts, as its verifier asks it: out of the store, without HTTP.

Whoever has only the key set believes a revoked token to its end. Here the registry is at hand: a token, its key and its
provider are looked up when the tool is verified and again before each call (R119, R124, R153). That costs those calls
three reads of the store, and no others anything.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.errors import StoreUnavailable
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.trust import ProviderKey
from gateway.identity.credentials import Secret
from gateway.identity.errors import IssuerUnavailable
from gateway.identity.jwk import VerificationKey, verification_key
from gateway.idp.errors import IdpRefused
from gateway.idp.introspection import Introspection, Mark
from gateway.idp.issued import IssuedTokens
from gateway.idp.issuing import Rules
from gateway.idp.key_book import KeyBook
from gateway.idp.key_files import KeyFiles
from gateway.idp.provider import Provider, Status
from gateway.idp.providers import Providers
from gateway.idp.public_key import read_public_key
from gateway.settings import Settings
from gateway.settings.idp import audience_of, issuer_of
from gateway.state.store import Store


class MountedIssuer:
    """A :class:`gateway.etdi.token.OwnIssuer`, its keys as :class:`gateway.etdi.token.IssuerKeys`, and the keys that
    providers registered as :class:`gateway.etdi.standing.KeyRegistry`."""

    generation = 0
    """Of the keys: a withdrawn one is seen by each token's standing."""

    def __init__(
        self,
        issuer: str,
        introspection: Introspection,
        keys: KeyBook,
        providers: Providers,
        *,
        now: Callable[[], float],
    ) -> None:
        self.issuer = issuer
        self._introspection = introspection
        self._keys = keys
        self._providers = providers
        self._now = now

    async def standing(self, token: Secret) -> MountedStanding:
        """See :class:`gateway.etdi.token.OwnIssuer`. :raises NotVerified:"""
        try:
            mark = await self._introspection.mark(token.expose().decode("ascii", "replace"))
        except StoreUnavailable:
            # No transient code: nothing may degrade to *was good before* while nobody can say what was revoked.
            raise NotVerified(
                EtdiCode.SYSTEM_UNAVAILABLE, "Token validation error: no introspection", definitive=False
            ) from None
        if mark is None:
            raise NotVerified(EtdiCode.TOKEN_INVALID_CLAIMS, "Token is not active")
        return MountedStanding(self._introspection, mark)

    async def key_standing(self, key: ProviderKey) -> KeyStanding | None:
        """See :class:`gateway.etdi.standing.KeyRegistry`. :raises NotVerified:"""
        pem = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        try:
            kid, _, _ = read_public_key(pem.decode())
            provider = await self._providers.find(key.provider)
        except IdpRefused:  # of a kind that cannot be registered
            return None
        except StoreUnavailable:
            raise NotVerified(
                EtdiCode.SYSTEM_UNAVAILABLE, "The provider's key cannot be looked up", definitive=False
            ) from None
        if provider is None or all(one.kid != kid for one in provider.keys):
            return None
        if not _vouches(provider, kid, self._now()):
            raise NotVerified(EtdiCode.TOKEN_INVALID_SIGNATURE, "The provider's key was revoked")
        return KeyStanding(self._providers, key.provider, kid, now=self._now)

    def current(self) -> bool:
        """They are read when they are needed."""
        return True

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """That key, while it vouches. :raises IssuerUnavailable: the store does not answer."""
        try:
            found = None if kid is None else (await self._keys.read()).find(kid)
        except StoreUnavailable:
            raise IssuerUnavailable from None
        if found is None or found.algorithm != algorithm or not found.vouches(self._now()):
            return None
        return verification_key(dict(found.published()))

    async def refetch(self) -> bool:
        """They were read this moment."""
        return False


class MountedStanding:
    """A :class:`gateway.catalog.verification.Standing`."""

    def __init__(self, introspection: Introspection, mark: Mark) -> None:
        self._introspection = introspection
        self._mark = mark
        self.over = False

    async def holds(self) -> bool:
        """See :class:`gateway.catalog.verification.Standing`. :raises StoreUnavailable:"""
        if not self.over and not await self._introspection.stands(self._mark):
            self.over = True
        return not self.over


class KeyStanding:
    """A :class:`gateway.catalog.verification.Standing` of a provider's own key, by its thumbprint (R124)."""

    def __init__(self, providers: Providers, provider: str, kid: str, *, now: Callable[[], float]) -> None:
        self._providers = providers
        self._provider = provider
        self._kid = kid
        self._now = now
        self.over = False

    async def holds(self) -> bool:
        """See :class:`gateway.catalog.verification.Standing`. :raises StoreUnavailable:"""
        if not self.over:
            provider = await self._providers.find(self._provider)
            self.over = provider is None or not _vouches(provider, self._kid, self._now())
        return not self.over


def _vouches(provider: Provider, kid: str, now: float) -> bool:
    """Whether nothing speaks against that key. One that was never approved here may be trusted by the settings."""
    key = next((one for one in provider.keys if one.kid == kid), None)
    if key is None or provider.status is not Status.APPROVED or key.revoked_at is not None:
        return False
    return key.valid_until is None or now < key.valid_until


def mounted_issuer_of(settings: Settings, store: Store, *, now: Callable[[], float]) -> MountedIssuer | None:
    """None unless ``idp.mounted``. It signs nothing, so it needs neither the private keys nor their passphrase."""
    if not settings.idp.mounted:
        return None
    idp, issuer = settings.idp, issuer_of(settings)
    keys = KeyBook(
        store,
        KeyFiles(Path(idp.folder)),
        algorithm=idp.algorithm,
        propagation_s=idp.propagation_seconds,
        now=now,
    )
    rules = Rules(issuer=issuer, audience=audience_of(settings), lifetime_s=idp.lifetime_seconds)
    providers = Providers(store, now=now)
    introspection = Introspection(rules, keys, providers, IssuedTokens(store, now=now), now=now)
    return MountedIssuer(issuer, introspection, keys, providers, now=now)
