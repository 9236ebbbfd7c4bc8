"""Verification offline: what is wrong is named, and no file makes it stumble."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit.chain import Chain, Genesis, Position
from gateway.audit.record import AuditRecord
from gateway.canonical import canonical_hash
from gateway.receipts.jws import NotAReceipt
from gateway.receipts.keys import PublishedKeys
from gateway.receipts.receipt import Receipt, receipt_of, result_hash
from gateway.receipts.verify import receipt_in, verify
from tests.support.audit import a_record
from tests.support.receipts import ISSUER, KEYS, PUBLISHED, RECEIPT_KEY, a_receipt, altered, signed

ARGUMENTS = b'{"amount":"1.00"}'


def found(text: str, **how: Any) -> list[str]:
    """The parts that are not right."""
    return [one.what for one in verify(text, PUBLISHED, **how).problems]


def recorded(folder: Path, record: AuditRecord) -> tuple[Path, Receipt]:
    """An audit file with that record in it, and its receipt."""
    first, chain = Chain("c" * 32).next(Genesis(chain="c" * 32, time=record.time))
    second, chain = chain.next(a_record("another"))
    third, chain = chain.next(record)
    path = folder / "audit.jsonl"
    path.write_bytes(first + second + third)
    position = Position("c" * 32, 2, chain.head)
    return path, receipt_of(record, position, issuer=ISSUER, now=1)


def test_a_receipt_fits_its_record(tmp_path: Path) -> None:
    """Member by member, at the very line."""
    path, receipt = recorded(tmp_path, a_record("call-1", tool="create_refund"))
    assert found(signed(receipt), audit=path) == []


def test_what_was_altered_is_named_by_the_audit(tmp_path: Path) -> None:
    """The signature says that something was; the record says what."""
    path, receipt = recorded(tmp_path, a_record("call-1", tool="create_refund"))
    for member, value in {"tool": "list_invoices", "outcome": "refused", "arguments_hash": "0" * 64}.items():
        assert found(altered(signed(receipt), **{member: value}), audit=path) == ["signature", member]
    assert found(altered(signed(receipt), jti="call-2"), audit=path) == ["signature", "jti"]


def test_an_altered_audit_does_not_fit(tmp_path: Path) -> None:
    """The receipt is true, and the file is not what it was."""
    path, receipt = recorded(tmp_path, a_record("call-1", tool="create_refund"))
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"create_refund", b"create_refunt"))
    assert found(signed(receipt), audit=path) == ["audit.hash", "tool"]
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    assert found(signed(receipt), audit=path) == ["audit"]
    path.write_bytes(b"\xff" * 100)
    assert found(signed(receipt), audit=path) == ["audit"]


def test_keys_of_another_gateway_do_not_vouch() -> None:
    """The same key under another gateway's name."""
    others = PublishedKeys(issuer="https://other.example", keys=KEYS.public)
    assert [one.what for one in verify(signed(), others).problems] == ["iss"]


def test_arguments_and_result_are_compared() -> None:
    """The very ones, in any spelling."""
    result = b'{"content":[]}'
    receipt = a_receipt(
        arguments_hash=canonical_hash(msgspec.json.decode(ARGUMENTS)), result_hash=result_hash(result)
    )
    text = signed(receipt)
    answer = b'{"jsonrpc":"2.0","id":1,"result":{"content":[],"_meta":{"a":1}}}'
    assert found(text, arguments=b' {"amount" : "1.00"}', result=answer) == []
    assert found(text, arguments=b'{"amount":"2.00"}', result=b'{"content":[1]}') == [
        "arguments_hash",
        "result_hash",
    ]
    assert found(text, arguments=b"{", result=b"{") == ["arguments", "result"]
    assert found(signed(), result=result) == ["result_hash"]


@pytest.mark.parametrize(
    "document",
    [
        "{}\n",
        '{{"receipt":"{}"}}',
        '{{"content":[],"_meta":{{"' + RECEIPT_KEY + '":"{}"}}}}',
        '{{"jsonrpc":"2.0","id":1,"result":{{"_meta":{{"' + RECEIPT_KEY + '":"{}"}}}}}}',
    ],
)
def test_a_receipt_is_found_where_it_was_saved(document: str) -> None:
    """Alone, or in an answer."""
    assert receipt_in(document.format(signed()).encode()) == signed()


@given(
    st.binary()
    | st.recursive(
        st.none() | st.text(),
        lambda inner: st.dictionaries(
            st.sampled_from(["receipt", "_meta", "result", "error", "data", RECEIPT_KEY]), inner
        ),
    ).map(msgspec.json.encode)
)
def test_no_file_makes_it_stumble(document: bytes) -> None:
    """A verdict, or *no receipt*; never another error, never valid."""
    try:
        verdict = verify(receipt_in(document), PUBLISHED)
    except NotAReceipt:
        return
    assert not verdict.valid


@given(st.binary(max_size=300))
def test_no_audit_makes_it_stumble(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """Any bytes: the record is not there."""
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    path.write_bytes(content)
    assert found(signed(), audit=path) == ["audit"]
