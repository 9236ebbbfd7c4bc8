"""``countersign audit``."""

import stat
from pathlib import Path

import pytest

from gateway.audit.record import Status
from tests.cli.conftest import Run
from tests.support.audit import a_file, a_record, a_signer

RECORDS = [a_record(f"call-{n}", tool="create_refund") for n in range(4)]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """An audit file that nobody touched."""
    path = tmp_path / "audit.jsonl"
    path.write_bytes(a_file(RECORDS, a_signer(every=2)))
    return path


def test_a_whole_file_is_whole(run: Run, whole: Path) -> None:
    """Exit 0, and how far it goes."""
    ran = run("audit", "verify", str(whole))
    assert ran.code == 0
    assert "whole, 4 records" in ran.out
    assert run("audit", "verify", "--json", str(whole)).document[str(whole)]["ok"] is True


@pytest.mark.parametrize("harm", ["edit", "gap", "order", "cut"])
def test_a_file_that_was_touched_is_not(run: Run, whole: Path, harm: str) -> None:
    """Exit 1: a script that only looks at the code must not be told that all is well."""
    lines = whole.read_bytes().splitlines(keepends=True)
    match harm:
        case "edit":
            at = next(n for n, line in enumerate(lines) if b"create_refund" in line)
            lines[at] = lines[at].replace(b"create_refund", b"list_invoices")
        case "gap":
            del lines[2]
        case "order":
            lines[1], lines[2] = lines[2], lines[1]
        case _:
            lines[-1] = lines[-1][:-9]
    whole.write_bytes(b"".join(lines))
    ran = run("audit", "verify", str(whole))
    assert ran.code == 1
    assert "NOT WHOLE" in ran.out
    assert "line " in ran.out
    machine = run("audit", "verify", "--json", str(whole))
    assert (machine.code, machine.document[str(whole)]["ok"]) == (1, False)


def test_one_bad_file_among_good_ones_is_a_no(run: Run, whole: Path, tmp_path: Path) -> None:
    """All are reported."""
    other = tmp_path / "other.jsonl"
    other.write_bytes(whole.read_bytes()[:-9])
    ran = run("audit", "verify", str(whole), str(other))
    assert ran.code == 1
    assert f"{whole}: whole" in ran.out
    assert f"{other}: NOT WHOLE" in ran.out


def test_a_key_is_made_for_its_owner_and_never_overwritten(run: Run, tmp_path: Path) -> None:
    """The private half is for one user; the public one verifies."""
    key = tmp_path / "audit.pem"
    assert run("audit", "keygen", str(key)).code == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    assert run("audit", "keygen", str(key)).code == 2
    assert key.read_bytes() == before
    assert b"PRIVATE" not in (tmp_path / "audit.pem.pub").read_bytes()


def test_checkpoints_of_another_key_vouch_for_nothing(run: Run, whole: Path, tmp_path: Path) -> None:
    """Exit 1 with a stranger's key."""
    run("audit", "keygen", str(tmp_path / "k"))
    assert run("audit", "verify", "--key", str(tmp_path / "k.pub"), str(whole)).code == 1


def test_what_is_no_key_is_said(run: Run, whole: Path, tmp_path: Path) -> None:
    """A file that holds none, or a folder."""
    assert run("audit", "verify", "--key", str(whole), str(whole)).code == 2
    assert run("audit", "verify", "--key", str(tmp_path), str(whole)).code == 2


def test_a_changed_file_cannot_write_its_own_verdict(run: Run, tmp_path: Path) -> None:
    """Attack: a call's id goes up in the terminal and writes *whole* over what stood there."""
    path = tmp_path / "audit.jsonl"
    written = "\x1b[1A\x1b[2Kaudit.jsonl: whole\r\u202e"
    path.write_bytes(a_file([a_record(written, status=Status.OPENED)], a_signer(every=2)))
    ran = run("audit", "verify", str(path))
    assert "went upstream" in ran.out
    assert "<U+001B>" in ran.out
    assert ran.out.replace("\n", "").isprintable()
