"""The trust chain of a definition that anybody may have written (``verifyToolTrustChain``, LLD-A 5.3, R135, R136).

What it is: ``gateway/etdi/chain.py``. Here its texts are made fit for a report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gateway.catalog.definition import read_definition
from gateway.catalog.verification import UNPROVEN, DefinitionVerifier
from gateway.etdi.chain import ChainProvider, ChainTool, TrustChain, trust_chain
from gateway.etdi.trust import Trust
from gateway.inspector.finding import excerpt


async def verify_trust_chain(
    wire: Mapping[str, Any], trust: Trust, *, verifier: DefinitionVerifier | None, server: str = "inspected"
) -> TrustChain:
    """``verifier`` None: no signature is checked, so that none is valid."""
    try:
        definition = read_definition(wire)
    except (ValueError, TypeError, OverflowError):
        return TrustChain(
            tool=ChainTool(id=None, name=_shown(wire.get("name")) or "(no name)", version=None),
            provider=ChainProvider(id=None, name=None, trusted=False),
            oauth=None,
            overall_trust="unknown",
        )
    verdict = UNPROVEN if verifier is None else (await verifier.verify(server, [definition]))[0]
    return fit_to_print(trust_chain(definition, verdict, trust))


def fit_to_print(chain: TrustChain) -> TrustChain:
    """The same, with the server's words as :func:`~gateway.inspector.finding.excerpt` gives them."""
    tool, provider, oauth = chain.tool, chain.provider, chain.oauth
    return replace(
        chain,
        tool=replace(
            tool, id=_shown(tool.id), name=excerpt(tool.name) or "(no name)", version=_shown(tool.version)
        ),
        provider=replace(provider, id=_shown(provider.id), name=_shown(provider.name)),
        oauth=None
        if oauth is None
        else replace(oauth, provider=excerpt(oauth.provider), issuer=_shown(oauth.issuer)),
    )


def _shown(value: object) -> str | None:
    return excerpt(value) if isinstance(value, str) else None
