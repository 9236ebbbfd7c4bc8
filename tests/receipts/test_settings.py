"""Receipts in a gateway that is configured: off, with a key of the operator's own, and with one that is none."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest

from gateway.audit.keys import new_key, read_public_key
from gateway.errors import SettingsError
from gateway.receipts.keys import thumbprint
from gateway.settings.model import ReceiptSettings
from tests.support.answers import status_of
from tests.support.calls import first_phase, invoice
from tests.support.house import running_house
from tests.support.receipts import RECEIPT_KEY

WELL_KNOWN = "/.well-known/countersign-receipts.json"


async def test_off_is_off(tmp_path: Path) -> None:
    """No key is made, none is published, no answer carries one; there is nothing to ask for."""
    async with running_house(tmp_path, receipts=ReceiptSettings(enabled=False)) as house:
        token = await first_phase(house, "create_invoice", invoice("off"))
        answer = await house.call("create_invoice", invoice("off"), state=token)
        assert status_of(answer) == "executed"
        assert RECEIPT_KEY not in answer["result"].get("_meta", {})
        assert (await house.http.get(WELL_KNOWN)).status_code == 404
        assert not (tmp_path / "receipts.pem").exists()


async def test_the_operators_own_keys(tmp_path: Path) -> None:
    """The new one signs, the old one is published on; no key is made beside the audit file."""
    (private, public), (_, old) = new_key(), new_key()
    (tmp_path / "new.pem").write_bytes(private)
    (tmp_path / "old.pub").write_bytes(old)
    chosen = ReceiptSettings(
        signing_key=str(tmp_path / "new.pem"), previous_keys=(str(tmp_path / "old.pub"),)
    )
    async with running_house(tmp_path, receipts=chosen) as house:
        listed = (await house.http.get(WELL_KNOWN)).json()
        assert [one["kid"] for one in listed["keys"]] == [
            thumbprint(read_public_key(one)) for one in (public, old)
        ]
        assert listed["issuer"] == house.url
        assert not (tmp_path / "receipts.pem").exists()


async def test_a_saved_answer_is_checked_with_the_keys_the_gateway_publishes(tmp_path: Path) -> None:
    """The whole way: a real call, its answer in a file, the command with the URL, arguments, result and audit."""
    async with running_house(tmp_path) as house:
        token = await first_phase(house, "create_invoice", invoice("saved"))
        answer = await house.call("create_invoice", invoice("saved"), state=token)
        saved, sent = tmp_path / "answer.json", tmp_path / "arguments.json"
        saved.write_bytes(msgspec.json.encode(answer))
        sent.write_bytes(msgspec.json.encode(invoice("saved")))
        told = await _verified(
            saved, house.url, "--arguments", sent, "--result", saved, "--audit", house.audit_path
        )
        assert told == (0, [])
        sent.write_bytes(msgspec.json.encode(invoice("another")))
        answer["result"]["content"] = []
        saved.write_bytes(msgspec.json.encode(answer))
        told = await _verified(saved, house.url, "--arguments", sent, "--result", saved)
        assert told == (1, ["arguments_hash", "result_hash"])


async def _verified(saved: Path, url: str, *options: str | Path) -> tuple[int | None, list[str]]:
    """``countersign receipt verify`` in a process of its own: its exit code, and what it says is wrong."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from gateway.cli import main; main()", "receipt", "verify", str(saved)),
        *("--keys", url + WELL_KNOWN, "--json", *map(str, options)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await running.communicate()
    return running.returncode, [one["what"] for one in msgspec.json.decode(out)["problems"]]


@pytest.mark.parametrize("key", ["signing_key", "previous_keys"])
async def test_a_key_that_cannot_be_used_keeps_the_gateway_from_starting(tmp_path: Path, key: str) -> None:
    """Named by its setting; the content is not repeated."""
    bad = tmp_path / "bad.pem"
    bad.write_text("unsafe-secret-of-somebody")
    chosen = (
        ReceiptSettings(signing_key=str(bad))
        if key == "signing_key"
        else ReceiptSettings(previous_keys=(str(bad),))
    )
    with pytest.raises(SettingsError) as problem:
        async with running_house(tmp_path, receipts=chosen):
            pass
    assert problem.value.message.startswith(f"receipts.{key}:")
    assert "unsafe-secret" not in problem.value.message
