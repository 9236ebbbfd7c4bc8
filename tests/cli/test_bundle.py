"""``countersign bundle``: from a profile to a signed file that the real OPA takes."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from gateway.bundle.archive import packed, unpacked
from tests.cli.conftest import Run
from tests.support.bundles import opa_takes
from tests.support.opa_program import Opa
from tests.support.policy_copies import copied


@pytest.fixture
def opa_on_path(opa_binary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on an author's machine."""
    monkeypatch.setenv("PATH", f"{opa_binary.parent}:{os.environ['PATH']}")


@pytest.mark.usefixtures("opa_on_path")
def test_a_profile_becomes_a_bundle_that_opa_verifies(run: Run, tmp_path: Path, opa_binary: Path) -> None:
    """Built twice the same, signed with a key that is made, verified here and by OPA."""
    one = run("bundle", "build", "production", "--sequence", "42", "--json")
    assert one.code == 0, one.err
    path = tmp_path / "bundles" / "dist" / "production.tar.gz"
    first = path.read_bytes()
    assert run("bundle", "build", "production", "--sequence", "42").code == 0
    assert path.read_bytes() == first
    assert run("bundle", "verify", str(path)).code != 0

    made = run("bundle", "sign", str(path), "--scope", "production")
    assert made.code == 0, made.err
    public = tmp_path / "bundles" / "keys" / "bundle.pub.pem"
    assert (tmp_path / ".countersign" / "bundle.pem").stat().st_mode & 0o777 == 0o600
    verified = run("bundle", "verify", str(path), "--scope", "production", "--json")
    assert verified.document["revision"] == one.document["revision"]
    assert run("bundle", "verify", str(path)).code == 1
    assert opa_takes(Opa(opa_binary), path, public, scope="production") is None

    found = run("bundle", "inspect", str(path), "--json").document
    assert (found["sequence"], found["roots"], found["signature"]["scope"]) == (42, ["gateway"], "production")
    assert not any("_test.rego" in name for name in found["files"])
    assert "production+42." in run("bundle", "inspect", str(path)).out


def test_a_changed_bundle_is_refused(run: Run, tmp_path: Path) -> None:
    """Exit 1 and the name of what was changed."""
    path = tmp_path / "a.tar.gz"
    assert run("bundle", "build", str(copied(tmp_path)), "--name", "a", "--output", str(path)).code == 0
    assert run("bundle", "sign", str(path)).code == 0
    assert run("bundle", "verify", str(path)).code == 0
    files = unpacked(path.read_bytes())
    name = "gateway/decision/decision.rego"
    path.write_bytes(packed({**files, name: files[name].replace(b"deny", b"deny ")}))
    done = run("bundle", "verify", str(path))
    assert done.code == 1
    assert name in done.err
    assert run("bundle", "verify", str(path), "--json").document["verified"] is False


@pytest.mark.usefixtures("opa_on_path")
def test_a_policy_that_fails_a_test_is_not_built(run: Run, tmp_path: Path) -> None:
    """Nothing is written."""
    policies = copied(tmp_path)
    (policies / "tier" / "wrong_test.rego").write_text(
        "package gateway.tier_test\n\ntest_wrong if 1 == 2\n", encoding="utf-8"
    )
    done = run("bundle", "build", str(policies), "--name", "a", "--output", "a.tar.gz")
    assert done.code == 2
    assert "test_wrong" in done.err
    assert not (tmp_path / "a.tar.gz").exists()


@pytest.mark.parametrize("room", ["decision", "passage"])
def test_a_policy_without_an_entrypoint_is_not_built(run: Run, tmp_path: Path, room: str) -> None:
    """Whatever else is in it."""
    policies = copied(tmp_path)
    shutil.rmtree(policies / room)
    assert run("bundle", "build", str(policies), "--name", "a", "--output", "a.tar.gz").code == 2
    assert not (tmp_path / "a.tar.gz").exists()


def test_what_cannot_be_used_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    """No such profile, no bundle, no key, a key of another kind."""
    (tmp_path / "a.tar.gz").write_bytes(b"no")
    (tmp_path / "key.pem").write_text("no key")
    for arguments in (
        ("build", "no-such-profile"),
        ("inspect", "a.tar.gz"),
        ("sign", "a.tar.gz"),
        ("verify", "a.tar.gz"),
        ("verify", "a.tar.gz", "--key", "key.pem"),
    ):
        done = run("bundle", *arguments)
        assert done.code in (1, 2), arguments
        assert done.err.strip()


@pytest.mark.parametrize("command", ["inspect", "sign", "verify"])
def test_a_strangers_bundle_cannot_write_to_the_terminal(run: Run, tmp_path: Path, command: str) -> None:
    """A file in it has escape sequences for a name, and is in it twice: the refusal quotes the name."""
    member = tarfile.TarInfo("a\x1b]0;owned\x07\x1b[2K\rdone\u202e.rego")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.addfile(member)
        archive.addfile(member)
    ran = run("bundle", command, "a.tar.gz")
    assert ran.code in (1, 2)
    assert "twice" in ran.err
    assert (ran.out + ran.err).replace("\n", "").isprintable()
    assert "<U+001B>" in ran.err
