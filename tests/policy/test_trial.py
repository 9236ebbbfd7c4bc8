"""An edited policy is loaded by a child first: what ends that child ends nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.policy.embedded import Embedded
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.policy.trial import tried
from tests.support.policies import write_policy

TWO_OF_ONE_NAME = "package gateway.tools\n\nf(x) := x\n\nf(x, y) := x + y\n"
"""rego-cpp ends the process at it; OPA says `conflicting rules`."""


async def test_what_may_go_live_is_named(tmp_path: Path) -> None:
    """By the revision that the gateway then loads, and no other."""
    folder = write_policy(tmp_path)
    revision = await tried(folder)
    assert load_policy(folder, only=revision).revision == revision
    write_policy(tmp_path, {"gateway/tools/data.yaml": "outcomes: {list_invoices: confirm}\n"})
    with pytest.raises(PolicyRefused, match="edited again"):
        load_policy(folder, only=revision)


async def test_a_refusal_comes_in_its_own_words(tmp_path: Path) -> None:
    """As if it had been loaded here."""
    folder = write_policy(tmp_path, {"gateway/decision/more.rego": "package gateway.decision\n\nx := {"})
    with pytest.raises(PolicyRefused) as here:
        load_policy(folder)
    with pytest.raises(PolicyRefused) as there:
        await tried(folder)
    assert there.value.message == here.value.message


async def test_an_edit_that_ends_the_engine_ends_no_gateway(tmp_path: Path) -> None:
    """Attack by accident: one save in an editor. The old policy decides on, and says that it is stale."""
    folder = write_policy(tmp_path)
    engine = await Embedded.load(folder)
    old = engine.revision
    write_policy(tmp_path, {"gateway/tools/more.rego": TWO_OF_ONE_NAME})
    with pytest.raises(PolicyRefused, match="does not survive"):
        await engine.reload(folder)
    ready = await engine.ready()
    await engine.aclose()
    assert (ready.ready, ready.stale, ready.revision) == (True, True, old)


async def test_the_child_is_told_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the environment it gets what Python needs: a module search path of the attacker's is not among it."""
    (tmp_path / "msgspec.py").write_text("raise SystemExit(2)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "msgspec.py"))
    folder = write_policy(tmp_path / "policies")
    assert await tried(folder) == load_policy(folder).revision
