"""The first phase hands out what the second one needs, and sends nothing."""

import re

import msgspec
import pytest

from gateway.outcome.consent import Consent, binding_of
from gateway.outcome.handshake import HandshakeOutcome
from gateway.outcome.pending import Waiting
from gateway.policy.decision import Handshake, HandshakeObligation, Obligations, Outcome, Reason
from gateway.state.store import Space, Store
from tests.support.walking import PAY, a_call, an_asked

REASON = Reason(code="consent.handshake_required", outcome=Outcome.HANDSHAKE, message="m", remedy="r")
CONSENT = Consent(transaction_id="t1")


def a_decision(ttl_s: int | None = 30) -> Handshake:
    """The policy wants the handshake."""
    wanted = None if ttl_s is None else HandshakeObligation(ttl_seconds=ttl_s)
    return Handshake(
        reasons=(REASON,), data_class=3, obligations=Obligations(handshake=wanted), revision="r1"
    )


@pytest.mark.parametrize(("ttl_s", "life"), [(30, 30), (5, 5), (None, 30)])
async def test_a_host_of_today_is_given_a_token(waiting: Waiting, ttl_s: int | None, life: int) -> None:
    """As long as the policy says, 30 seconds if it says nothing; bound to the call and to the policy."""
    asked = an_asked()
    answer = await HandshakeOutcome(waiting).carry_out(
        asked, a_decision(ttl_s), CONSENT, has_output_schema=False
    )
    assert answer.token is not None
    assert re.fullmatch("[0-9a-f]{64}", answer.token)
    assert (answer.status, answer.expires_in_s, answer.about.transaction_id) == (
        "handshake_required",
        life,
        "t1",
    )
    granted = await waiting.present(answer.token)
    assert granted is not None
    assert (granted.binding, granted.revision, granted.view_hash) == (binding_of(asked), "r1", None)


async def test_an_older_host_is_told_to_repeat(waiting: Waiting, store: Store) -> None:
    """No token leaves; the same call of the same caller is remembered, once."""
    asked = an_asked(a_call(PAY, legacy=True))
    answer = await HandshakeOutcome(waiting).carry_out(asked, a_decision(), CONSENT, has_output_schema=True)
    assert answer.token is None
    assert answer.about.error_result_only
    assert len(await store.entries(Space.HANDSHAKE, limit=9)) == 1
    assert await waiting.present_repeat(binding_of(asked)) is not None


async def test_the_answer_says_why(waiting: Waiting) -> None:
    """With the policy's own reasons, and without the token anywhere but in its place."""
    answer = await HandshakeOutcome(waiting).carry_out(
        an_asked(), a_decision(), CONSENT, has_output_schema=False
    )
    assert answer.about.reasons == (REASON,)
    assert answer.token is not None
    assert answer.token not in repr(msgspec.structs.replace(answer, token=None))
