"""What a token says of the one tool it is for, and the token itself. Values only."""

from __future__ import annotations

import msgspec

from gateway.identity.credentials import Secret


class ToolClaims(msgspec.Struct, frozen=True, kw_only=True):
    """The tool as a token names it. ``permissions`` are sorted and each is there once."""

    tool_id: str
    tool_version: str
    tool_provider: str
    permissions: tuple[str, ...]
    definition_hash: str

    def claims(self) -> dict[str, str]:
        """The members that are claims; permissions travel as scopes."""
        return {
            "tool_id": self.tool_id,
            "tool_version": self.tool_version,
            "tool_provider": self.tool_provider,
            "definition_hash": self.definition_hash,
        }


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A token and the seconds that it may be used, from the moment it was asked for."""

    token: Secret
    life_s: float


class ProviderInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Who grants. ``id`` is ``auth0:<domain>`` and the like; ``block`` is a definition's ``oauth.provider``."""

    id: str
    name: str
    type: str
    block: str


class Validation(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a token that was checked. ``reason`` is one of R107's; ``details`` never quote the token."""

    valid: bool
    reason: str | None = None
    details: str | None = None
