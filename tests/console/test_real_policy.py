"""The console and the shipped policies, in a real OPA: the document fits the schema, and the answers are understood."""

from collections.abc import AsyncIterator
from pathlib import Path
from time import time
from typing import Any, Literal

import jsonschema
import msgspec
import pytest

from gateway.policy.decision import ConfirmObligation
from gateway.policy.opa import OpaSidecar
from gateway.policy.policy import Policy
from tests.console.house import CALLER, ORIGIN, House, RolesPolicy, a_house, a_pending, fields, moved, press
from tests.support.opa_process import OpaProcess
from tests.support.usage import NothingCounted

POLICIES = Path(__file__).parents[2] / "policies"
NOW = 1_795_224_000


class _Well:
    def state(self) -> Literal["ok", "degraded"]:
        return "ok"


@pytest.fixture
async def house(opa_binary: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A console whose policy is the shipped one."""
    with OpaProcess(opa_binary, POLICIES, extra=("--ignore=*_test.rego", "--ignore=checks")) as process:
        engine = OpaSidecar.at(process.url, clock=time, deadline_s=5)
        policy = Policy(engine, paypal="sandbox", health=_Well(), now=lambda: NOW, usage=NothingCounted())
        try:
            async with a_house(tmp_path, policy=policy) as opened:
                yield opened
        finally:
            await engine.aclose()


async def test_an_approver_approves(house: House) -> None:
    """The role that the shipped data names for confirming."""
    pending = await house.waits()

    assert (await press(await house.signed_in("bob"), pending, "approve")).status_code == 200
    assert house.book.entries == [("bob", "approve", "accepted", ("admin.permitted",))]


async def test_an_auditor_reads_and_decides_nothing(house: House) -> None:
    """Reading is another role than deciding."""
    pending = await house.waits()
    page = await (await house.signed_in("ann", roles=("auditor",))).get(f"/console/pending/{pending.key}")

    assert page.status_code == 200
    assert 'name="verdict"' not in page.text
    assert "admin.role_missing" in page.text
    assert await house.stored(pending) == pending


async def test_the_caller_does_not_approve_its_own_call(house: House) -> None:
    """Although it signs in by a link, and so with another issuer than its token has."""
    pending = await house.waits()
    page = await (await house.signed_in(CALLER)).get(f"/console/pending/{pending.key}")

    assert 'value="approve"' not in page.text
    assert "admin.self_confirmation" in page.text


async def test_a_link_is_not_enough_where_oidc_is_asked_for(house: House) -> None:
    """The waiting call's own demand counts."""
    obligation = ConfirmObligation(by=("human",), min_assurance="oidc")
    pending = await house.waits(a_pending(house.clock(), obligation=obligation))
    browser = await house.signed_in("bob")
    form = fields((await browser.get("/console/")).text)
    form |= {
        "transaction_id": pending.transaction_id,
        "view_hash": pending.view.view_hash,
        "verdict": "approve",
    }
    done = await browser.post(f"/console/pending/{pending.key}/decide", data=form, headers=ORIGIN)

    assert done.status_code == 403
    assert "admin.assurance_too_low" in done.text
    assert await house.stored(pending) == pending
    assert house.book.entries == [("bob", "approve", "denied", ("admin.assurance_too_low",))]


async def test_the_document_is_what_the_schema_says(tmp_path: Path) -> None:
    """Every document the console sends validates, a call without a data class included."""
    schema: dict[str, Any] = msgspec.json.decode((POLICIES / "schemas" / "admin_question.json").read_bytes())
    async with a_house(tmp_path) as house:
        pending = await house.waits(moved(a_pending(house.clock()), data_class=None, tier=None))
        browser = await house.signed_in("bob")
        await browser.get("/console/")
        await press(browser, pending, "refuse")
        policy: RolesPolicy = house.policy

    assert {document["action"] for document in policy.asked} == {"read", "confirm", "refuse"}
    for document in policy.asked:
        jsonschema.validate(document, schema)
