"""What an agent is told of a waiting call. Pure.

Nothing that the first agent wrote besides the arguments is in here: no ``_meta``, no name of a client, no header, no
token (R036). The caller is the one the gateway recognised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.canonical import canonical_bytes
from gateway.outcome.pending import Pending
from gateway.outcome.view import View
from gateway.policy.money import Money


class CaseCaller(msgspec.Struct, frozen=True, kw_only=True):
    """In whose name the call was made."""

    issuer: str
    subject: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One call that waits. ``arguments`` are the canonical bytes (RFC 8785) whose hash is ``arguments_hash``; ``view``
    is the picture that people see, ``view_hash`` the one thing a confirmation is for; times are unix seconds."""

    transaction_id: str
    server: str
    tool: str
    arguments: msgspec.Raw
    arguments_hash: str
    view: View
    view_hash: str
    caller: CaseCaller
    data_class: int | None
    tier: str | None
    money: Money | None
    expires_at: int


def case_of(pending: Pending, arguments: Mapping[str, Any], money: Money | None) -> Case:
    """The case of a waiting call, as it stands. The arguments have a canonical form: the view was made from it."""
    return Case(
        transaction_id=pending.transaction_id,
        server=pending.binding.server,
        tool=pending.binding.tool,
        arguments=msgspec.Raw(canonical_bytes(arguments)),
        arguments_hash=pending.binding.arguments_hash,
        view=pending.view,
        view_hash=pending.view.view_hash,
        caller=CaseCaller(issuer=pending.caller_issuer, subject=pending.caller_subject),
        data_class=pending.data_class,
        tier=pending.tier,
        money=money,
        expires_at=int(pending.expires_at),
    )
