"""Rows and reviews as JSON documents, for scripts and for the admin API. OAuth tokens are left out (C55)."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.approving.review import Review, Row
from gateway.approving.words import headline
from gateway.catalog.kept import without_token
from gateway.catalog.permissions import permissions_of


def row_document(row: Row) -> dict[str, Any]:
    """One tool of the list."""
    return {
        "server": row.server,
        "tool": row.tool,
        "data_class": row.data_class,
        "definition_hash": row.definition_hash,
        "version": row.version,
        "etdi": row.etdi,
        "origin": row.origin,
        "standing": row.standing,
        "pending": row.pending,
        "asked_by": list(row.asked_by),
    }


def review_document(review: Review) -> dict[str, Any]:
    """One tool in full; ``difference.permissions`` is the document of LLD-B 13.2."""
    live, difference = review.live, review.difference
    return {
        "server": review.server,
        "tool": review.tool,
        "class": review.data_class,
        "standing": review.standing,
        "definition_hash": None if live is None else live.definition_hash,
        "version": None if live is None else live.version,
        "provider": None if live is None else live.provider,
        "permissions": [] if review.definition is None else list(permissions_of(review.definition).values()),
        "etdi": None if live is None else msgspec.to_builtins(live.etdi),
        "content": None if live is None else msgspec.to_builtins(live.content),
        "report": None if review.report is None else msgspec.to_builtins(review.report),
        "definition": None if review.definition is None else without_token(review.definition.wire),
        "approval": None if review.approval is None else msgspec.to_builtins(review.approval),
        "difference": None
        if difference is None
        else {"headline": headline(difference), **msgspec.to_builtins(difference)},
        "history": msgspec.to_builtins(review.history),
    }
