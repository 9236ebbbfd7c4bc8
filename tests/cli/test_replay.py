"""``countersign policy replay`` and ``diff``."""

import shutil
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.decisions.entry import Recorded
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from gateway.workbench.questions import completed
from tests.cli.conftest import Run, good_settings
from tests.support.policy_cases import BUNDLES, POLICIES
from tests.workbench.conftest import edited


@pytest.fixture(autouse=True)
def opa_on_path(opa_binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The faster judge."""
    monkeypatch.setenv("PATH", f"{opa_binary.parent}:/usr/bin:/bin")


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """A policy that lets visitors read, and nothing else differs."""
    folder = tmp_path / "candidate" / "gateway"
    shutil.copytree(POLICIES / "gateway", folder)
    edited(folder / "identity" / "data.yaml", '"4": [agent]', '"4": [agent, visitor]')
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A visitor was refused a read, an agent was not."""
    data = read_pack(POLICIES / "gateway").data
    lines = []
    for role, outcome, code, asks in (
        ("visitor", "deny", "identity.role_missing", "deny"),
        ("agent", "allow", "consent.not_required", "allow"),
    ):
        question = completed(
            {"tool": {"name": "list_products"}, "caller": {"roles": [role], "subject": role}},
            data,
            {"paypal": PAYPAL},
        )
        reasons = [{"code": code, "outcome": asks}]
        if role == "visitor":
            reasons.append({"code": "consent.not_required", "outcome": "allow"})
        answer = {"outcome": outcome, "data_class": 4, "reasons": reasons}
        one = Recorded(
            time=1e9, arguments="kept", question=question, answer=answer, revision="r", engine="opa"
        )
        lines.append(msgspec.json.encode(one))
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_a_candidate_that_is_laxer_fails_the_gate(run: Run, log: Path, candidate: Path) -> None:
    """With the tool, the class, the caller and an example; a gate that asks for other things passes."""
    done = run("policy", "replay", "--against", str(candidate), "--log", str(log))
    assert done.code == 1, done.err
    assert "list_products" in done.out
    assert "2 questions: 1 the same, 1 laxer, 0 stricter, 0 for other reasons" in done.out
    assert (
        run("policy", "replay", "--against", str(candidate), "--log", str(log), "--fail-on", "stricter").code
        == 0
    )
    found = run("policy", "replay", "--against", str(candidate), "--log", str(log), "--json").document
    assert [(flip["direction"], flip["caller"], flip["data_class"]) for flip in found["flips"]] == [
        ("laxer", "visitor", 4)
    ]


def test_the_policy_itself_changes_nothing(run: Run, log: Path) -> None:
    """Against the record, and against itself."""
    for more in ((), ("--live",)):
        done = run("policy", "replay", "--against", str(POLICIES / "gateway"), "--log", str(log), *more)
        assert (done.code, "2 the same" in done.out) == (0, True), done.out


def test_the_settings_name_the_log(run: Run, log: Path, candidate: Path, tmp_path: Path) -> None:
    """Without them, or before anything was recorded, it says so; no question is no pass."""
    against = ("policy", "replay", "--against", str(candidate))
    assert (run(*against).code, "no decision log" in run(*against).err) == (2, True)
    settings = {**good_settings(), "decisions": {"path": str(log)}}
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(settings))
    assert run(*against).code == 1
    nothing = run(*against, "--since", "1d")
    assert (nothing.code, nothing.out, "no question" in nothing.err) == (2, "", True)
    assert run(*against, "--since", "tomorrow").code == 2
    log.unlink()
    assert run(*against).code == 2


def test_diff_says_what_changes_as_text_and_as_answers(run: Run, candidate: Path) -> None:
    """For every tool of the class at once."""
    done = run("policy", "diff", str(POLICIES / "gateway"), str(candidate))
    assert done.code == 1
    assert 'changed data    identity/data.yaml /roles/4: ["agent"] -> ["agent","visitor"]' in done.out
    assert "-identity.role_missing" in done.out
    assert " 0 stricter" in done.out
    assert run("policy", "diff", str(candidate), str(candidate)).code == 0


def test_diff_reads_overlays(run: Run) -> None:
    """As they would run: over the policy."""
    done = run("policy", "diff", str(POLICIES / "gateway"), str(BUNDLES / "lockdown"), "--json")
    assert done.code == 1
    assert {flip["direction"] for flip in done.document["meaning"]["flips"]} <= {"stricter", "other reasons"}
