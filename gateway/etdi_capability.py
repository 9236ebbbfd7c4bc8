"""The gateway as a client of its servers says that it speaks ETDI, and holds a server to what that says (R165, R166).

Said in every spelling of the sources, in ``initialize`` and in ``server/discover``, and only by a gateway that trusts
anybody or requires it: a server hears nothing new otherwise. A server whose word contradicts itself, or that requires a
version that is not spoken here, or speaks none where ``etdi.capability_required`` is set, has tools whose origin nobody
looks into: they are unverified, and the log and ``countersign trust`` say why. What a release pins is not affected.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gateway.authoring.errors import NegotiationFailed
from gateway.authoring.negotiation import (
    Capability,
    client_form,
    negotiate,
    read_capability,
    with_capability,
)
from gateway.catalog.definition import Definition
from gateway.catalog.tool import Etdi
from gateway.catalog.verification import DefinitionVerifier, Verdict
from gateway.door.call import Era
from gateway.etdi.diagnostics import failure_of
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.settings.etdi import EtdiSettings
from gateway.upstream.opening import Says
from gateway.upstream.target import Upstream

_LOG: Final = logging.getLogger("countersign.etdi")


def capability_of(settings: EtdiSettings) -> Capability | None:
    """What the gateway says of itself; None: nothing. The kinds of its issuers, not who they are."""
    if not settings.issuers and not settings.provider_keys and not settings.capability_required:
        return None
    kinds = tuple(sorted({one.profile for one in settings.issuers}))
    return Capability(providers=kinds, required=settings.capability_required)


def saying(own: Capability | None) -> Says | None:
    """What a handshake says besides; None: nothing."""
    if own is None:
        return None
    form = client_form(own)

    def says(capabilities: Mapping[str, Any], era: Era) -> Mapping[str, Any]:
        said = with_capability(capabilities, own, client=True, modern=era is Era.MODERN)
        return {**said, "extensions": {**(said.get("extensions") or {}), "etdi": form}}

    return says


class CapabilityVerifier:
    """A :class:`~gateway.catalog.verification.DefinitionVerifier` that looks at what a server said of itself first."""

    def __init__(
        self,
        inner: DefinitionVerifier,
        upstreams: Mapping[str, Upstream],
        own: Capability,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._upstreams = upstreams
        self._own = own
        self._now = now
        self._told: dict[str, str | None] = {}

    async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
        """See :class:`~gateway.catalog.verification.DefinitionVerifier`.

        :raises UpstreamUnavailable: the server has gone since it was asked for its tools.
        """
        upstream = self._upstreams.get(server)
        if upstream is None:
            return await self._inner.verify(server, definitions)
        said = (await upstream.about()).capabilities
        try:
            why = negotiate(self._own, read_capability(said)).why
        except NegotiationFailed as problem:
            self._tell(server, f"its tools are unverified: {problem.message}")
            return [self._refused(one, problem.message) for one in definitions]
        self._tell(server, None if why is None else f"goes on without ETDI in the handshake: {why}")
        return await self._inner.verify(server, definitions)

    def stands(self, verdict: Verdict) -> bool:
        """See :class:`~gateway.catalog.verification.DefinitionVerifier`."""
        return self._inner.stands(verdict)

    def _refused(self, definition: Definition, why: str) -> Verdict:
        problem = NotVerified(EtdiCode.CONFIG_INVALID, f"Capabilities of the server: {why}")
        return Verdict(
            etdi=Etdi(error=problem.code.value), failure=failure_of(definition, problem, now=self._now())
        )

    def _tell(self, server: str, what: str | None) -> None:
        """Once, not with every listing."""
        if self._told.get(server) == what:
            return
        self._told[server] = what
        if what is not None:
            _LOG.warning("server %s %s", server, what)
