"""``countersign receipt``."""

from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Run
from tests.support.receipts import ISSUER, KEYS, altered, signed


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The published keys, saved."""
    path = tmp_path / "keys.json"
    path.write_bytes(msgspec.json.encode(KEYS.published(ISSUER)))
    return path


def test_a_true_receipt(run: Run, tmp_path: Path, keys: Path) -> None:
    """Exit 0, and a table for people."""
    file = tmp_path / "receipt.jws"
    file.write_text(signed())
    ran = run("receipt", "verify", str(file), "--keys", str(keys))
    assert ran.code == 0, ran.err
    assert "VALID (checked: signature)" in ran.out
    for word in ("create_refund", "agent-one", "executed", "consent.given", "f00"):
        assert word in ran.out
    document = run("receipt", "verify", str(file), "--keys", str(keys), "--json").document
    assert (document["valid"], document["receipt"]["txn"]) == (True, "call-1")


def test_an_altered_one(run: Run, tmp_path: Path, keys: Path) -> None:
    """Exit 1, and what is wrong."""
    file = tmp_path / "receipt.jws"
    file.write_text(altered(signed(), outcome="refused"))
    ran = run("receipt", "verify", str(file), "--keys", str(keys))
    assert ran.code == 1
    assert "NOT VALID" in ran.out
    assert "signature:" in ran.out
    machine = run("receipt", "verify", str(file), "--keys", str(keys), "--json")
    assert (machine.code, [one["what"] for one in machine.document["problems"]]) == (1, ["signature"])


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe", b'{"no":"receipt"}'])
def test_a_file_that_is_none(run: Run, tmp_path: Path, keys: Path, content: bytes) -> None:
    """Exit 2."""
    file = tmp_path / "receipt.jws"
    file.write_bytes(content)
    assert run("receipt", "verify", str(file), "--keys", str(keys)).code == 2


@pytest.mark.parametrize("named", ["nowhere.json", "http://192.0.2.1/keys", "http://127.0.0.1:1/keys"])
def test_keys_that_cannot_be_had(run: Run, tmp_path: Path, named: str) -> None:
    """Exit 2: nothing was checked."""
    file = tmp_path / "receipt.jws"
    file.write_text(signed())
    assert run("receipt", "verify", str(file), "--keys", named).code == 2


def test_a_receipt_cannot_write_on_the_terminal(run: Run, tmp_path: Path, keys: Path) -> None:
    """Escape sequences are shown, not obeyed."""
    file = tmp_path / "receipt.jws"
    file.write_text(altered(signed(), tool="\x1b[2J[bold]x"))
    assert "\x1b[2J" not in run("receipt", "verify", str(file), "--keys", str(keys)).out
