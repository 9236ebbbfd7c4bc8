"""An explanation is made of the policy's own answers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.policy.decision import Outcome
from gateway.policy.embedded import Embedded
from gateway.workbench.explain import Explanation, explain
from gateway.workbench.pack import Pack, read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.questions import completed
from tests.support.policy_cases import POLICIES

PACK = POLICIES / "gateway"


@pytest.fixture(scope="module")
def pack() -> Pack:
    """The policy that ships."""
    return read_pack(PACK)


@pytest.fixture
async def engine() -> AsyncIterator[Embedded]:
    """The embedded engine with it."""
    loaded = await Embedded.load(PACK, deadline_s=10.0)
    yield loaded
    await loaded.aclose()


async def explained(engine: Embedded, pack: Pack, tool: str, **written: Any) -> Explanation:
    """The explanation of a call of one tool."""
    question = completed({"tool": {"name": tool}, **written}, pack.data, {"paypal": PAYPAL})
    return await explain(question, engine, pack)


def refund(amount: str) -> dict[str, Any]:
    """Arguments."""
    return {"capture_id": "2GG279541U471931P", "amount": {"value": amount, "currency_code": "USD"}}


async def test_a_refund_wants_a_handshake_and_then_a_person(engine: Embedded, pack: Pack) -> None:
    """What decides is marked, what else is said is there, and the way to allow is the shortest."""
    told = await explained(engine, pack, "create_refund", arguments=refund("25.00"))
    assert told.outcome is Outcome.HANDSHAKE
    assert [(one.code, one.decides) for one in told.reasons] == [
        ("consent.handshake_required", True),
        ("consent.confirmation_required", False),
    ]
    assert told.reasons[0].at[0].startswith("gateway/consent/consent.rego:")
    assert told.path is not None
    assert told.path.changed == (
        "the call came again with its handshake token",
        "one person other than the caller confirmed it in the console",
    )


async def test_a_large_amount_wants_two_people(engine: Embedded, pack: Pack) -> None:
    """One is tried first, and is not enough."""
    told = await explained(engine, pack, "create_refund", arguments=refund("501.00"))
    assert told.path is not None
    assert "2 people other than the caller confirmed it in the console" in told.path.changed


async def test_an_amount_above_the_hard_limit_is_allowed_only_if_it_is_smaller(
    engine: Embedded, pack: Pack
) -> None:
    """No signature lifts it, and the explanation does not say that one does."""
    told = await explained(engine, pack, "create_refund", arguments=refund("10000.01"))
    assert told.outcome is Outcome.DENY
    assert told.path is not None
    assert any("limit" in change for change in told.path.changed)
    assert {"money.over_limit"} == {
        code for one in told.alone if "amount" in one.changed[0] for code in one.gone
    }


async def test_a_read_is_allowed_and_nothing_is_asked_around(engine: Embedded, pack: Pack) -> None:
    """There is no way to find to where one is."""
    told = await explained(engine, pack, "list_products", arguments={})
    assert (told.outcome, told.alone, told.path) == (Outcome.ALLOW, (), None)


async def test_where_nothing_helps_it_says_so(engine: Embedded, pack: Pack) -> None:
    """An unknown tool stays unknown, whoever signs."""
    told = await explained(engine, pack, "make_rich", arguments={})
    assert (told.outcome, told.path) == (Outcome.DENY, None)
    assert [one.code for one in told.reasons if one.decides] == ["classes.unclassified"]
