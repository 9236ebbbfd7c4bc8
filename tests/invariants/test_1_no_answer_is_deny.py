"""Invariant 1. No answer, an undefined or unknown outcome, a slow or dead engine: deny, with the reason in the audit.

One tool, and a policy that says something else for each page number. Page 1 is the honest yes, so that each refusal
is known to come from the answer and from nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.settings.model import PolicySettings
from tests.support.answers import codes_of, status_of
from tests.support.calls import invoice
from tests.support.house import House, running_house
from tests.support.opa_process import OpaProcess
from tests.support.policy_copies import copied, judged_by, with_decision
from tests.support.traces import Trace


def reason(outcome: str) -> str:
    """A reason as Rego spells it."""
    return f'{{"code": "test.said", "outcome": "{outcome}", "message": "", "remedy": ""}}'


REASON = reason("allow")
ODD_ANSWERS = {
    2: '"allow"',
    3: "true",
    4: "[]",
    5: "{}",
    6: f'{{"outcome": "perhaps", "reasons": [{REASON}]}}',
    7: f'{{"outcome": "ALLOW", "reasons": [{REASON}]}}',
    8: '{"outcome": "allow", "reasons": []}',
    9: '{"outcome": "allow"}',
    10: f'{{"outcome": "allow", "reasons": [{reason("deny")}]}}',
    11: f'{{"outcome": "allow", "reasons": [{REASON}], "arguments": {{"page": 9}}}}',
    12: f'{{"outcome": "allow", "reasons": [{REASON}], "obligations": {{"notify": ["boss"]}}}}',
    13: f'{{"outcome": "confirm", "reasons": [{reason("confirm")}]}}',
    14: f'{{"outcome": "allow", "reasons": [{REASON}], "data_class": 0}}',
    15: f'{{"outcome": "allow", "reasons": [{REASON}], "data_class": "4"}}',
    16: f'{{"outcome": ["allow"], "reasons": [{REASON}]}}',
    17: f'{{"outcome": "allow", "reasons": [{REASON}], "obligations": {{"redact": "/payer"}}}}',
}
UNDEFINED, CONFLICT, BUILT_IN, SLOW = 30, 31, 32, 33
DEADLINE_S = 0.7
"""The slow rule takes some seconds, an honest one some milliseconds."""


def policy_of_odd_answers() -> str:
    """Says yes on page 1, something unusable on each other page, no to everything else."""
    odd = "\n".join(f"answer := {said} if page == {page}\n" for page, said in ODD_ANSWERS.items())
    return f"""package gateway.decision

page := input.arguments.page

answer := {{"outcome": "allow", "reasons": [{REASON}], "data_class": 4}} if page == 1

answer := {{"outcome": "deny", "reasons": [{reason("deny")}]}} if not page

{odd}
answer := {{"outcome": "allow", "reasons": [{REASON}]}} if page == {CONFLICT}

answer := {{"outcome": "deny", "reasons": [{REASON}]}} if page == {CONFLICT}

answer := {{"outcome": "allow", "reasons": [{REASON}], "data_class": to_number("four")}} if page == {BUILT_IN}

answer := {{"outcome": "allow", "reasons": [{REASON}], "data_class": count(busy) - count(busy) + 4}} if page == {SLOW}

busy := {{[i, j] | some i in numbers.range(1, 40); some j in numbers.range(1, 35)}} if page == {SLOW}
"""


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A gateway whose policy is out of its mind."""
    folder = tmp_path_factory.mktemp("odd")
    policies = with_decision(folder, policy_of_odd_answers())
    async with running_house(folder, policy=judged_by(policies, timeout_s=DEADLINE_S)) as running:
        yield running


async def test_the_honest_yes_goes_through(house: House) -> None:
    """The call that this file refuses in every other test is executed when the policy says so properly."""
    trace = Trace(house)
    answer = await house.call("list_invoices", {"page": 1})
    assert status_of(answer) == "executed"
    assert len(trace.paypal) == 1
    assert trace.record["status"] == "executed"


@pytest.mark.parametrize("page", ODD_ANSWERS)
async def test_what_is_not_understood_is_deny(house: House, page: int) -> None:
    """An answer of the wrong shape, an unknown word, a member too many: refused, and PayPal hears nothing."""
    trace = Trace(house)
    answer = await house.call("list_invoices", {"page": page})
    assert (status_of(answer), codes_of(answer)) == ("refused", ["policy.malformed_answer"])
    trace.refused_unseen("policy.malformed_answer")
    assert trace.record["outcome"] == "deny"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (UNDEFINED, "policy.undefined"),
        (CONFLICT, "policy.built_in_error"),
        (BUILT_IN, "policy.built_in_error"),
        (SLOW, "policy.timeout"),
    ],
)
async def test_no_answer_is_deny(house: House, page: int, code: str) -> None:
    """A rule that is undefined, contradicts itself, fails or does not come to an end: refused."""
    trace = Trace(house)
    answer = await house.call("list_invoices", {"page": page})
    assert status_of(answer) == "refused"
    assert set(codes_of(answer)) <= {code, "policy.undefined"}
    trace.refused_unseen(*codes_of(answer))
    assert trace.record["outcome"] == "deny"


async def test_a_sidecar_that_is_stalled_dies_and_comes_back(tmp_path: Path, opa_binary: Path) -> None:
    """OPA hangs, is killed, is started again: deny, deny, and then the same call is judged as before."""
    policies = copied(tmp_path)
    with OpaProcess(opa_binary, policies.parent) as opa:
        sidecar = PolicySettings(engine="opa", opa_url=opa.url, timeout_s=DEADLINE_S)
        async with running_house(tmp_path, policy=sidecar) as house:
            assert status_of(await house.call("list_invoices", {"page": 1})) == "executed"
            for trouble in (opa.pause, opa.kill):
                trouble()
                for tool, arguments in (("list_invoices", {"page": 1}), ("create_invoice", invoice("x"))):
                    trace = Trace(house)
                    answer = await house.call(tool, arguments)
                    assert status_of(answer) == "refused"
                    assert codes_of(answer)[0].startswith("policy.")
                    trace.refused_unseen(*codes_of(answer))
                assert (await house.rpc("tools/list")).status_code == 503
            opa.start()
            while (await house.http.get("/readyz")).status_code != 200:
                pass
            assert status_of(await house.call("list_invoices", {"page": 1})) == "executed"
