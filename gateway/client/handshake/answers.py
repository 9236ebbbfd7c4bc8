"""Status and body of the two phases -> what they mean. Pure.

Where an answer to an execution could hide that money has moved, it is *unknown*: a client that reads "it failed" pays
twice.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from gateway.client.handshake.errors import AuthorizationFailed, ExecutionFailed, OutcomeUnknown
from gateway.client.login.values import Secret
from gateway.client.phases import shown, shown_url

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Of one answer."""
MAX_SAID_CHARS: Final = 600
RECEIPT_KEY: Final = "dev.countersign/receipt"
MAX_RECEIPT_CHARS: Final = 64 * 1024
DO_NOT_REPEAT: Final = (
    "The call was sent and its outcome is unknown. Do not repeat it: find out first what became of it."
)


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer. ``body``: None where it is too long or broke off. ``retry_after``, ``receipt``: headers as they
    came.

    ``wants_nonce``: it says ``use_dpop_nonce``, and ``nonce`` is the one (RFC 9449 section 9).
    """

    status: int
    body: bytes | None
    retry_after: str | None = None
    receipt: str | None = None
    wants_nonce: bool = False
    nonce: str | None = None


class Authorized(msgspec.Struct, frozen=True, kw_only=True):
    """The first phase went well."""

    transaction_id: str
    token: Secret


class Done(msgspec.Struct, frozen=True):
    """The target's result."""

    result: Any


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Once more, with this token: at once, or after a person decided. ``expires_in_s``: how long the call waits."""

    token: Secret
    transaction_id: str
    person: bool
    approve_url: str | None
    expires_in_s: float


def authorized(reply: Reply) -> Authorized:
    """:raises AuthorizationFailed: with the gateway's words."""
    document = _document(reply)
    if reply.status != 200:
        raise AuthorizationFailed(
            f"Authorization failed: {_said(reply, document)}",
            code=_code(document),
            status=reply.status,
            retry_after_s=_seconds(reply.retry_after),
            receipt=_receipt(reply, document),
        )
    transaction, token = document.get("transactionId"), _token(document)
    if token is None or not isinstance(transaction, str):
        raise AuthorizationFailed("Authorization failed: the answer holds no token.", status=reply.status)
    return Authorized(transaction_id=shown(transaction, 128), token=token)


def executed(reply: Reply, transaction_id: str) -> Done | Waiting:
    """:raises ExecutionFailed: it had no effect. :raises OutcomeUnknown: nobody knows."""
    document = _document(reply)
    if reply.status == 200:
        if reply.body is None or not document:
            raise unknown(
                transaction_id, "The call was carried out, and its answer cannot be read. Do not repeat it."
            )
        return Done(document)
    if reply.status == 202:
        return _waiting(document, transaction_id)
    # A 503 of the gateway's own says that nothing was sent; one of a proxy on the way says nothing about that.
    certain = reply.status < 500 or (reply.status == 503 and "callId" in document)
    if not certain:
        raise unknown(transaction_id, status=reply.status, receipt=_receipt(reply, document))
    error = ExecutionFailed(
        f"Execution failed: {_said(reply, document)}",
        code=_code(document),
        status=reply.status,
        retry_after_s=_seconds(reply.retry_after),
        receipt=_receipt(reply, document),
    )
    if reply.status == 400 and "error" not in document:
        error.result = document or None
    raise error


def unknown(
    transaction_id: str,
    said: str = DO_NOT_REPEAT,
    *,
    status: int | None = None,
    receipt: str | None = None,
) -> OutcomeUnknown:
    """What to raise where nobody knows."""
    words = f"Outcome unknown: {said} Transaction {transaction_id}."
    error = OutcomeUnknown(words, status=status, receipt=receipt)
    error.transaction_id = transaction_id
    return error


def _waiting(document: dict[str, Any], transaction_id: str) -> Waiting:
    token, status = _token(document), document.get("status")
    if status not in ("confirmation_required", "handshake_required") or token is None:
        said = (
            "the target asks something that can be answered over MCP only"
            if status == "input_required"
            else ("the call waits for something that this client does not know")
        )
        raise ExecutionFailed(f"Execution failed: {said}.", status=202, code="client.not_answerable")
    transaction = document.get("transactionId")
    expires = document.get("expiresInSeconds")
    number = isinstance(expires, int | float) and not isinstance(expires, bool)
    return Waiting(
        token=token,
        transaction_id=shown(transaction, 128) if isinstance(transaction, str) else transaction_id,
        person=status == "confirmation_required",
        approve_url=shown_url(document.get("approveUrl")),
        expires_in_s=float(expires) if number and expires is not None else 0.0,
    )


def receipt_of(answer: object) -> str | None:
    """The receipt in a result (``_meta``), or in a refusal of the REST door; None where there is none. Whether it is
    true is for ``countersign receipt verify`` to say."""
    members = answer if isinstance(answer, dict) else {}
    meta = members.get("_meta")
    found = members.get("receipt") or (meta.get(RECEIPT_KEY) if isinstance(meta, dict) else None)
    return found if isinstance(found, str) and len(found) <= MAX_RECEIPT_CHARS else None


def _receipt(reply: Reply, document: dict[str, Any]) -> str | None:
    """A refusal in the guide's words has it in a header."""
    return receipt_of(document) or receipt_of({"receipt": reply.receipt})


def _document(reply: Reply) -> dict[str, Any]:
    """The JSON object of an answer, else an empty one."""
    try:
        found = msgspec.json.decode(reply.body or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _token(document: dict[str, Any]) -> Secret | None:
    token = document.get("ephemeralToken")
    fine = isinstance(token, str) and 0 < len(token) <= 4096 and all("!" <= char <= "~" for char in token)
    return Secret(token) if fine and isinstance(token, str) else None


def _said(reply: Reply, document: dict[str, Any]) -> str:
    """The gateway's word; where there is none, the target's, or the status."""
    error = document.get("error")
    if isinstance(error, str) and error:
        return shown(error, MAX_SAID_CHARS)
    texts = document.get("content")
    parts = [one.get("text") for one in texts if isinstance(one, dict)] if isinstance(texts, list) else []
    words = " ".join(one for one in parts if isinstance(one, str))
    return shown(words, MAX_SAID_CHARS) or f"HTTP {reply.status}"


def _code(document: dict[str, Any]) -> str | None:
    code = document.get("code")
    return shown(code, 128) if isinstance(code, str) and code else None


def _seconds(header: str | None) -> float | None:
    """Retry-After as seconds (RFC 9110 section 10.2.3); a date is left alone."""
    return float(header) if header is not None and header.isascii() and header.isdigit() else None
