"""What the catalog asks about a definition's origin: values and a protocol. Who answers is ``gateway/etdi``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.tool import Etdi


class Standing(Protocol):
    """Whoever vouched, where this process can ask without a wire: before each call, so that no revocation is outlived
    (R153)."""

    @property
    def over(self) -> bool:
        """Whether the answer has been no; then it stays no. Never waits."""

    async def holds(self) -> bool:
        """Whether it vouches still. :raises StoreUnavailable: nobody can say."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far an origin is proven, and until when that holds; ``since`` and ``until`` are unix seconds.

    ``basis`` is whose keys it rests on, for the verifier that made it. ``failure`` is the whole story of what was not
    proven (LLD-B 13.2), for the operator. ``standing`` is asked before every call, where there is one.
    """

    etdi: Etdi
    since: float = 0.0
    until: float = float("inf")
    basis: Any = None
    failure: Any = None
    standing: Standing | None = None


UNPROVEN: Final = Verdict(etdi=Etdi())


class DefinitionVerifier(Protocol):
    """Proves origins. It never raises for what a definition says."""

    async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
        """One verdict for each definition, in their order."""

    def stands(self, verdict: Verdict) -> bool:
        """Whether a verdict still holds: neither the token nor the key behind it has ended. Never waits."""


class NobodyTrusted:
    """Proves nothing, so that nothing is verified but what a release pins."""

    async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
        """See :class:`DefinitionVerifier`."""
        del server
        return [UNPROVEN] * len(definitions)

    def stands(self, verdict: Verdict) -> bool:
        """See :class:`DefinitionVerifier`."""
        del verdict
        return True
