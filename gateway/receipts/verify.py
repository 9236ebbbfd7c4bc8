"""Is this receipt true? Offline, from the receipt, trusted public keys, and what else is at hand. Pure but for reading.

What a check says *no* to is named: the signature, the key, or the very member that differs from the audit record, from
the arguments or from the result. NOT checked: that the audit file is whole (``countersign audit verify`` does that),
and that the gateway spoke the truth when it signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from gateway.audit.chain import MAX_LINE_BYTES, Position, read_line
from gateway.audit.record import AuditRecord
from gateway.canonical import canonical_hash
from gateway.receipts.jws import MAX_RECEIPT_BYTES, Forged, NotAReceipt, check, read
from gateway.receipts.keys import PublishedKeys
from gateway.receipts.receipt import Receipt, facts_of, result_hash

RECEIPT_KEY = "dev.countersign/receipt"
MAX_FILE_BYTES = 16 * 1024 * 1024
"""A saved answer of an MCP server, with the receipt in it."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong: ``what`` names the part, ``message`` says it for people."""

    what: str
    message: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """``valid``: nothing is wrong with anything that was checked. ``checked`` names what was. ``receipt`` is what it
    says, true or not; None where that cannot be read."""

    valid: bool
    receipt: Receipt | None
    problems: tuple[Found, ...]
    checked: tuple[str, ...]


def receipt_in(document: bytes) -> str:
    """The compact JWS in a file: alone, or in a saved tool result, JSON-RPC answer or error, or answer of the REST door
    or of ``GET /receipts``.

    :raises NotAReceipt: there is none in it.
    """
    if len(document) > MAX_FILE_BYTES:
        raise NotAReceipt(f"the file is over {MAX_FILE_BYTES} bytes")
    try:
        text = document.decode().strip()
    except UnicodeDecodeError:
        raise NotAReceipt("the file is not text") from None
    if not text.startswith("{"):
        return text
    try:
        read_in = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise NotAReceipt("the file is neither a receipt nor JSON") from None
    places = (
        ("receipt",),
        ("_meta", RECEIPT_KEY),
        ("result", "_meta", RECEIPT_KEY),
        ("data", RECEIPT_KEY),
        ("error", "data", RECEIPT_KEY),
    )
    for place in places:
        value: Any = read_in
        for step in place:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    raise NotAReceipt("there is no receipt in this JSON")


def verify(
    text: str,
    keys: PublishedKeys,
    *,
    audit: Path | None = None,
    arguments: bytes | None = None,
    result: bytes | None = None,
) -> Verdict:
    """Check everything that can be checked with what is given; all that is wrong is told, not only the first thing.

    :raises NotAReceipt: the text is none at all.
    :raises OSError: the audit file cannot be read.
    """
    if len(text) > MAX_RECEIPT_BYTES:
        raise NotAReceipt("it is too long for a receipt")
    problems: list[Found] = []
    checked = ["signature"]
    try:
        opened = read(text)
    except Forged as problem:
        found = Found(what=problem.what, message=str(problem))
        return Verdict(valid=False, receipt=None, problems=(found,), checked=tuple(checked))
    receipt = opened.receipt
    try:
        check(opened, keys.keys)
    except Forged as problem:
        problems.append(Found(what=problem.what, message=str(problem)))
    if keys.issuer is not None and receipt.iss != keys.issuer:
        problems.append(
            Found(what="iss", message=f"it names {receipt.iss}, and these keys are of {keys.issuer}")
        )
    if audit is not None:
        checked.append("audit")
        problems.extend(_against_audit(receipt, audit))
    if arguments is not None:
        checked.append("arguments")
        problems.extend(_against_arguments(receipt, arguments))
    if result is not None:
        checked.append("result")
        problems.extend(_against_result(receipt, result))
    return Verdict(valid=not problems, receipt=receipt, problems=tuple(problems), checked=tuple(checked))


def _against_audit(receipt: Receipt, path: Path) -> Iterator[Found]:
    """The record at the very place that the receipt names, member by member."""
    where = receipt.audit
    if where is None:
        yield Found(what="audit", message="it names no audit record: the record could not be written then")
        return
    found = _line_at(where, path)
    if found is None:
        yield Found(what="audit", message=f"line {where.seq} of chain {where.chain} is not in {path.name}")
        return
    record, hashed = found
    if hashed != where.hash:
        yield Found(what="audit.hash", message="the audit's line is another one than the receipt's")
    if record.call_id != receipt.jti:
        yield Found(what="jti", message="the audit's record is of another call")
        return
    for name, value in facts_of(record).items():
        if getattr(receipt, name) != value:
            yield Found(what=name, message=f"{name} differs from the audit's record")


def _line_at(where: Position, path: Path) -> tuple[AuditRecord, str] | None:
    """The record with that number in that chain, and its line's hash. One file may hold several chains one after
    another; the chain's own id says which."""
    chain: str | None = None
    with path.open("rb") as file:
        while raw := file.readline(MAX_LINE_BYTES + 1):
            line = read_line(raw.removesuffix(b"\n"))
            if line is None:
                continue
            chain = getattr(line.body, "chain", None) or chain
            if chain == where.chain and line.seq == where.seq and isinstance(line.body, AuditRecord):
                return line.body, line.hash
    return None


def _against_arguments(receipt: Receipt, document: bytes) -> Iterator[Found]:
    try:
        hashed = canonical_hash(msgspec.json.decode(document))
    except (ValueError, RecursionError):
        yield Found(what="arguments", message="the arguments are no JSON with a canonical form")
        return
    if hashed != receipt.arguments_hash:
        yield Found(what="arguments_hash", message="these are not the arguments of the call")


def _against_result(receipt: Receipt, document: bytes) -> Iterator[Found]:
    try:
        read_in = msgspec.json.decode(document)
        if isinstance(read_in, dict) and isinstance(read_in.get("result"), dict):
            document = msgspec.json.encode(read_in["result"])
    except (ValueError, RecursionError):
        yield Found(what="result", message="the result is no JSON")
        return
    if receipt.result_hash is None:
        yield Found(what="result_hash", message="the receipt vouches for no result")
    elif result_hash(document) != receipt.result_hash:
        yield Found(what="result_hash", message="this is not the result of the call")
