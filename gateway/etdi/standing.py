"""What a verdict can be asked again about: a token, a provider's own key, or both of them."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from gateway.catalog.verification import Standing
from gateway.etdi.trust import ProviderKey


class KeyRegistry(Protocol):
    """Where providers' own keys are registered, asked without a wire."""

    async def key_standing(self, key: ProviderKey) -> Standing | None:
        """What can be asked again; None where that key is not registered: then the settings alone say whom to trust.

        :raises NotVerified: it was revoked, or its provider suspended; or nobody can say.
        """


class Signed(NamedTuple):
    """A good signature: by which key, and what of it can be asked again."""

    key: ProviderKey
    standing: Standing | None


class Together:
    """A :class:`~gateway.catalog.verification.Standing`: all of them must hold."""

    def __init__(self, one: Standing, other: Standing) -> None:
        self._both = (one, other)

    @property
    def over(self) -> bool:
        """Whether one has said no."""
        return any(one.over for one in self._both)

    async def holds(self) -> bool:
        """See :class:`~gateway.catalog.verification.Standing`. :raises StoreUnavailable:"""
        return all([await one.holds() for one in self._both])


def together(one: Standing | None, other: Standing | None) -> Standing | None:
    """Both, or the one that there is."""
    return Together(one, other) if one is not None and other is not None else one or other
