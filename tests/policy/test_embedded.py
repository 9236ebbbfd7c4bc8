"""The embedded engine: one policy at a time, never a mixed one, and no answer rather than a late or a bent one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from gateway.errors import PolicyUnavailable
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Entrypoint, PolicyRefused
from gateway.policy.loading import load_policy
from tests.support.policies import SMALL, write_policy

SLOW = (
    SMALL["gateway/decision/decision.rego"]
    + """
message := "slow" if {
	input.slow
	count([1 | some a in input.slow; some b in input.slow; some c in input.slow]) > 1
}
"""
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Embedded]:
    """The small policy."""
    loaded = await Embedded.load(write_policy(tmp_path))
    yield loaded
    await loaded.aclose()


def question(name: str) -> bytes:
    """A question about a tool."""
    return msgspec.json.encode({"tool": {"name": name}})


async def outcome(engine: Embedded, name: str) -> str:
    """The outcome for a tool."""
    evaluation = await engine.evaluate(Entrypoint.DECISION, question(name))
    assert evaluation.result is not None
    return str(msgspec.json.decode(evaluation.result)["outcome"])


async def test_evaluations_carry_the_revision(engine: Embedded) -> None:
    """Outcome, revision and engine go into the audit; there is no decision id here."""
    evaluation = await engine.evaluate(Entrypoint.DECISION, question("create_refund"))
    assert evaluation.result is not None
    assert msgspec.json.decode(evaluation.result)["outcome"] == "handshake"
    assert (evaluation.revision, evaluation.engine, evaluation.decision_id) == (
        engine.revision,
        "embedded",
        None,
    )


async def test_concurrent_questions_are_not_mixed(engine: Embedded) -> None:
    """Six hundred questions at once over several threads each get their own answer (input race)."""
    names = ["list_invoices", "create_refund", "unknown"] * 80
    outcomes = await asyncio.gather(*[outcome(engine, name) for name in names])
    assert outcomes == ["allow", "handshake", "deny"] * 80


@pytest.mark.parametrize("document", [b"", b"{", b"\xff", b"[" * 100_000, b'{"tool":{"name":"a\\u0000"}}'])
async def test_questions_that_cannot_be_put(engine: Embedded, document: bytes) -> None:
    """What is no JSON, too deep or cut by the engine has no answer, and the engine lives on."""
    with pytest.raises(PolicyUnavailable) as error:
        await engine.evaluate(Entrypoint.DECISION, document)
    assert error.value.code == "policy.question"
    assert await outcome(engine, "list_invoices") == "allow"


async def test_slow_policies_are_given_up(tmp_path: Path) -> None:
    """A decision that is not there at the deadline is no decision; the loop was never blocked."""
    policy = load_policy(write_policy(tmp_path, {"gateway/decision/decision.rego": SLOW}))
    engine = Embedded(policy, deadline_s=0.05)
    document = msgspec.json.encode({"tool": {"name": "list_invoices"}, "slow": list(range(80))})
    with pytest.raises(PolicyUnavailable) as error:
        await engine.evaluate(Entrypoint.DECISION, document)
    assert error.value.code == "policy.timeout"
    await engine.aclose()


async def test_the_line_is_bounded(tmp_path: Path) -> None:
    """More waiting questions than could be answered in time are refused at once."""
    engine = Embedded(load_policy(write_policy(tmp_path)), max_waiting=3)
    answers = await asyncio.gather(
        *[engine.evaluate(Entrypoint.DECISION, question("x")) for _ in range(10)], return_exceptions=True
    )
    codes = [answer.code for answer in answers if isinstance(answer, PolicyUnavailable)]
    assert codes == ["policy.overloaded"] * 7
    assert await outcome(engine, "list_invoices") == "allow"
    await engine.aclose()


async def test_reload_is_atomic(engine: Embedded, tmp_path: Path) -> None:
    """Evaluations under way during a reload answer by the old or the new policy as a whole, with its revision."""
    old = engine.revision
    write_policy(tmp_path, {"gateway/tools/data.yaml": "outcomes: {list_invoices: confirm}\n"})

    async def ask() -> tuple[str, str]:
        evaluation = await engine.evaluate(Entrypoint.DECISION, question("list_invoices"))
        assert evaluation.result is not None
        return evaluation.revision, msgspec.json.decode(evaluation.result)["outcome"]

    reloading = asyncio.create_task(engine.reload(tmp_path / "gateway"))
    seen = set()
    while not reloading.done():
        seen.update(await asyncio.gather(*[ask() for _ in range(8)]))
    await reloading
    seen.add(await ask())
    assert seen == {(old, "allow"), (engine.revision, "confirm")}
    assert old != engine.revision


async def test_a_refused_reload_keeps_the_old_policy(engine: Embedded, tmp_path: Path) -> None:
    """A broken edit changes nothing but readiness, which says stale and why, until the folder is good again."""
    good = await engine.ready()
    write_policy(tmp_path, {"gateway/decision/decision.rego": "package gateway.decision\n\nanswer := {"})
    with pytest.raises(PolicyRefused, match="compile"):
        await engine.reload(tmp_path / "gateway")
    stale = await engine.ready()
    assert await outcome(engine, "list_invoices") == "allow"
    write_policy(tmp_path)
    await engine.reload(tmp_path / "gateway")
    assert (good.ready, good.stale, good.error) == (True, False, None)
    assert (stale.ready, stale.stale, stale.revision) == (True, True, good.revision)
    assert "compile" in (stale.error or "")
    assert await engine.ready() == good


async def test_no_policy_no_engine(tmp_path: Path) -> None:
    """Without a good policy at the start there is no engine at all."""
    with pytest.raises(PolicyRefused):
        await Embedded.load(tmp_path)
