"""``countersign receipt``: is this receipt true?"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
import msgspec
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.cli.common import config_option, json_option, settings_of, terminal
from gateway.outcome.view import visible
from gateway.parts import receipt_keys_of
from gateway.receipts.jws import NotAReceipt
from gateway.receipts.keys import PublishedKeys, read_published
from gateway.receipts.receipt import Receipt
from gateway.receipts.verify import Verdict, receipt_in
from gateway.receipts.verify import verify as verify_receipt
from gateway.settings.checks import is_loopback

MAX_KEYS_BYTES = 256 * 1024
_FETCH_S = 10.0
_EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def receipt() -> None:
    """Check receipts of calls."""


@receipt.command()
@click.argument("file", type=_EXISTING)
@click.option("--keys", help="Published keys: a file, or an https URL. Default: this machine's own.")
@click.option("--audit", type=_EXISTING, help="Compare with the record in this audit file.")
@click.option("--arguments", type=_EXISTING, help="Compare with these arguments (JSON).")
@click.option("--result", type=_EXISTING, help="Compare with this saved tool result (JSON).")
@config_option
@json_option
def verify(
    file: Path,
    keys: str | None,
    audit: Path | None,
    arguments: Path | None,
    result: Path | None,
    config: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Check the receipt in FILE. Exit 0: valid; 1: not; 2: no receipt, or no keys to check it with."""
    try:
        verdict = verify_receipt(
            receipt_in(file.read_bytes()),
            _keys(keys, config),
            audit=audit,
            arguments=None if arguments is None else arguments.read_bytes(),
            result=None if result is None else result.read_bytes(),
        )
    except NotAReceipt as problem:
        raise click.UsageError(f"{file}: {problem}") from None
    if as_json:
        click.echo(msgspec.json.encode(verdict).decode())
    else:
        _say(verdict)
    if not verdict.valid:
        raise click.exceptions.Exit(1)


def _keys(named: str | None, config: Path | None) -> PublishedKeys:
    """The keys that are trusted. Never those that a receipt names: whoever forged it would name his own."""
    try:
        if named is None:
            settings = settings_of(config)
            own = receipt_keys_of(settings)
            if own is None:
                raise click.UsageError("receipts are off here; name the gateway's keys with --keys")
            return PublishedKeys(issuer=settings.public_url.rstrip("/"), keys=own.public)
        if named.startswith(("https://", "http://")):
            return read_published(_fetched(named))
        return read_published(Path(named).read_bytes())
    except ValueError as problem:
        raise click.UsageError(f"--keys: {problem}") from None


def _fetched(url: str) -> bytes:
    host = urlsplit(url).hostname or ""
    if url.startswith("http://") and not is_loopback(host):
        raise ValueError("keys come over https, or from this machine")
    try:
        with httpx.stream("GET", url, timeout=_FETCH_S) as response:
            response.raise_for_status()
            body = b""
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_KEYS_BYTES:
                    raise ValueError(f"over {MAX_KEYS_BYTES} bytes")
    except httpx.HTTPError as problem:
        raise ValueError(f"cannot be fetched: {type(problem).__name__}") from None
    return body


def _say(verdict: Verdict) -> None:
    table = Table(box=box.SIMPLE, show_header=False)
    for name, value in _rows(verdict.receipt) if verdict.receipt is not None else ():
        # Whatever was written into a receipt must not write on this terminal what it likes.
        table.add_row(name, escape(visible(value)))
    if verdict.receipt is not None:
        terminal().print(table)
    for problem in verdict.problems:
        click.echo(f"  {problem.what}: {visible(problem.message)}")
    said = "VALID" if verdict.valid else "NOT VALID"
    click.echo(f"{said} (checked: {', '.join(verdict.checked)})")


def _rows(receipt: Receipt) -> list[tuple[str, str]]:
    caller, decision, upstream, audit = receipt.caller, receipt.decision, receipt.upstream, receipt.audit
    rows = [
        ("receipt", receipt.jti),
        ("transaction", receipt.txn or "-"),
        ("gateway", receipt.iss),
        ("time", receipt.time),
        (
            "caller",
            "-"
            if caller is None
            else f"{caller.subject} ({caller.issuer}), client {caller.client_id or '-'}",
        ),
        ("tool", f"{receipt.server or '-'} / {receipt.tool or '-'}"),
        ("definition", receipt.definition_hash or "-"),
        ("arguments", receipt.arguments_hash or "-"),
        ("class", "-" if receipt.data_class is None else f"{receipt.data_class} ({receipt.tier or '-'})"),
        ("judged", f"{receipt.judged.value if receipt.judged else '-'}: {', '.join(receipt.reasons) or '-'}"),
        (
            "policy",
            "-" if decision is None else f"{decision.engine or '-'} revision {decision.revision or '-'}",
        ),
    ]
    rows += [
        ("confirmed", f"by {one.who} ({one.by}, {one.assurance}) at {one.at}, view {one.view_hash}")
        for one in receipt.confirmations
    ]
    rows.append(("outcome", receipt.outcome.value))
    if upstream is not None:
        rows.append(
            (
                "target",
                f"status {upstream.status or '-'}, debug id {upstream.debug_id or '-'}, "
                f"request id {upstream.request_id or '-'}",
            )
        )
    rows.append(("result", receipt.result_hash or "-"))
    rows.append(
        ("audit", "not recorded" if audit is None else f"chain {audit.chain} line {audit.seq} {audit.hash}")
    )
    return rows
