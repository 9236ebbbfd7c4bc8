"""The tool as the catalog knows it: what the upstream says now, and what was approved. Values only."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

import msgspec

ETDI_META_KEY = "dev.countersign/etdi"
"""Where a definition carries its ETDI block on the MCP wire (conflict C16: stock clients drop unknown fields)."""


class EtdiStatus(StrEnum):
    """Set by the gateway; whatever status arrives from a server is discarded (R068)."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    TOKEN_INVALID = "token_invalid"  # noqa: S105 - a status, not a secret
    SIGNATURE_INVALID = "signature_invalid"


class Etdi(msgspec.Struct, frozen=True, kw_only=True):
    """How far the definition's origin is proven, and by what.

    ``evidence`` says what verified it: ``release`` (the definition is one this very release ships and its hash is
    the pinned one), ``token`` (an OAuth token bound to the tool) or ``signature``.
    """

    status: EtdiStatus = EtdiStatus.UNVERIFIED
    evidence: str | None = None
    error: str | None = None

    @property
    def said(self) -> str:
        """For people: how far, and by what or why not. All of them words of ours."""
        return ": ".join(word for word in (self.status.value, self.evidence, self.error) if word)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What the inspector finds in the words, characters and names of a definition: the worst severity, and the codes.

    A report, and no verdict: the policy says what it is worth. ``NONE``: nothing was found, or nobody looked.
    """

    severity: Literal["HIGH", "MEDIUM", "LOW", "NONE"] = "NONE"
    codes: tuple[str, ...] = ()


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool of one server as it is NOW. ``first_seen`` is unix seconds."""

    name: str
    version: str | None
    definition_hash: str
    provider: str | None
    permissions: tuple[str, ...]
    annotations: dict[str, Any]
    etdi: Etdi
    first_seen: int
    changed_since_first_use: bool = False
    """Another definition than the first that was listed here under this name: what an unapproved tool is held to."""
    content: Content = Content()


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody approved, and until when. Times are unix seconds."""

    version: str | None
    definition_hash: str
    provider: str | None
    requested: tuple[str, ...]
    approved: tuple[str, ...]
    by: str
    at: int
    expires: int | None = None
    revoked: bool = False
    void: str | msgspec.UnsetType = msgspec.UNSET
    """Why the record of this approval is not to be believed (``seal.Flaw``); absent where it is. Never softened."""


class SchemaVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the arguments fit the tool's input schema. ``errors`` name JSON pointers, never values."""

    valid: bool
    errors: tuple[str, ...] = ()
