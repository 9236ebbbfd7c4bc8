"""The frozen value that leaves the door."""

import pytest

from gateway.door.call import OWN_META_PREFIX, Client, Era, ToolCall
from gateway.identity.credentials import NO_CREDENTIALS
from gateway.outcome.elicitation import ELICITATION_KEY
from gateway.upstream.target import OUTCOME_META_KEY, TRANSACTION_META_KEY


def a_call() -> ToolCall:
    """The smallest call."""
    return ToolCall(
        call_id="1",
        received_at=0.0,
        server="paypal",
        tool="list_invoices",
        arguments={},
        arguments_hash="0" * 64,
        era=Era.MODERN,
        protocol="2026-07-28",
        client=Client(),
        credentials=NO_CREDENTIALS,
    )


def test_nothing_changes_a_call_after_the_door() -> None:
    """What was judged is what is sent (invariant 2)."""
    with pytest.raises(AttributeError):
        a_call().tool = "create_refund"  # type: ignore[misc]  # the assignment that must fail


def test_a_host_that_declares_nothing_can_do_nothing() -> None:
    """Defaults are no."""
    client = a_call().client
    assert client.can_elicit == ()
    assert client.can_input_required is False


def test_two_calls_do_not_share_what_they_default_to() -> None:
    """A mutable default in common would leak one caller's answer into another's call."""
    one, other = a_call(), a_call()
    assert one.meta is not other.meta
    assert one.input_responses is not other.input_responses


@pytest.mark.parametrize("key", [TRANSACTION_META_KEY, OUTCOME_META_KEY, ELICITATION_KEY])
def test_every_key_of_ours_has_the_prefix_that_the_door_drops(key: str) -> None:
    """A key outside it could be forged by a host."""
    assert key.startswith(OWN_META_PREFIX)
