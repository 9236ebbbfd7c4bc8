"""Bindings and pending calls for tests."""

from typing import Any

from gateway.outcome.pending import Binding, Pending, Status
from gateway.outcome.view import render
from gateway.policy.decision import ConfirmObligation
from gateway.policy.question import Confirmation
from tests.support.walking import MONEY

NOW = 1_795_224_000.0
ONE_HUMAN = ConfirmObligation(by=("human",))


def a_binding(**members: Any) -> Binding:
    """What was asked, by whom."""
    return Binding(
        **{
            "principal": '["https://idp.example","agent-one"]',
            "server": "bank",
            "tool": "pay_bill",
            "definition_hash": "d" * 64,
            "arguments_hash": "a" * 64,
            **members,
        }
    )


def a_pending(**members: Any) -> Pending:
    """A call that has waited for a human since `NOW`, for ten minutes."""
    view = render(
        server="bank",
        tool="pay_bill",
        arguments={"bill": "b1"},
        money=MONEY,
        asked_by="agent-one",
        reasons=("a",),
    )
    return Pending(
        **{
            "transaction_id": "7f0c3a52-4d39-4c42-9f0e-7a3f6f0f6c11",
            "binding": a_binding(),
            "status": Status.WAITING,
            "view": view,
            "obligation": ONE_HUMAN,
            "data_class": 2,
            "tier": "restricted",
            "caller_issuer": "https://idp.example",
            "caller_subject": "agent-one",
            "handshake_at": NOW,
            "created_at": NOW,
            "expires_at": NOW + 600,
            **members,
        }
    )


def a_signature(pending: Pending, **members: Any) -> Confirmation:
    """A human's yes to the picture that waits."""
    return Confirmation(
        **{
            "by": "human",
            "who": "bob",
            "assurance": "link",
            "at": int(NOW),
            "view_hash": pending.view.view_hash,
            **members,
        }
    )
