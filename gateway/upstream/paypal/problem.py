"""PayPal's two error shapes -> one value. Pure.

The REST shape is ``{name, message, debug_id, details: [{field, issue, description}]}``, the token shape is
``{error, error_description}``. Names, issues and ids are kept only if they look like ones; descriptions are
kept for 4xx only, clipped and without control characters. Anything else that an upstream writes (stack
traces, HTML) stays here: target errors are translated, not passed on raw (R029).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.upstream.paypal.api import ApiReply

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_FIELD = re.compile(r"[A-Za-z0-9_./@=\[\]-]{1,200}", re.ASCII)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
MOST_DETAILS = 10
LONGEST_DESCRIPTION = 300
"""Characters. PayPal's longest documented description is about 250."""

NAMES = {
    400: "INVALID_REQUEST",
    401: "AUTHENTICATION_FAILURE",
    403: "NOT_AUTHORIZED",
    404: "RESOURCE_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "RATE_LIMIT_REACHED",
}
"""PayPal's name for a status, where its body gives none (paypal.md section 4)."""


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of PayPal's ``details``."""

    issue: str
    field: str | None = None
    description: str | None = None


class PayPalProblem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What PayPal said was wrong."""

    name: str
    message: str = ""
    status: int | None = None
    debug_id: str | None = None
    details: tuple[Detail, ...] = ()

    @property
    def issues(self) -> frozenset[str]:
        """The issue codes, with the name among them."""
        return frozenset({self.name, *(detail.issue for detail in self.details)})


def debug_id_of(reply: ApiReply) -> str | None:
    """PayPal's id of the exchange, from the header or the body."""
    return _token(reply.headers.get("paypal-debug-id")) or _token(_object(reply).get("debug_id"))


def problem_of(reply: ApiReply) -> PayPalProblem:
    """An answer that is no success -> what PayPal said."""
    return problem_in(_object(reply), status=reply.status, debug_id=debug_id_of(reply))


def problem_in(body: Mapping[str, Any], *, status: int, debug_id: str | None) -> PayPalProblem:
    """One error object -> what PayPal said. Takes either shape."""
    fallback = NAMES.get(status, "INTERNAL_SERVER_ERROR" if status >= 500 else "UNEXPECTED_STATUS")
    details = body.get("details")
    found: list[Detail] = []
    for entry in details[:MOST_DETAILS] if isinstance(details, list) else ():
        if not isinstance(entry, dict) or (issue := _token(entry.get("issue"))) is None:
            continue
        said = None if status >= 500 else _clipped(entry.get("description"))
        found.append(Detail(issue=issue, field=_field(entry.get("field")), description=said))
    if (code := _token(body.get("error"))) is not None:
        found.append(Detail(issue=code))
    return PayPalProblem(
        name=_token(body.get("name")) or fallback,
        status=status,
        debug_id=debug_id,
        details=tuple(found),
    )


def _object(reply: ApiReply) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return body if isinstance(body, dict) else {}


def _token(value: Any) -> str | None:
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def _field(value: Any) -> str | None:
    return value if isinstance(value, str) and _FIELD.fullmatch(value) else None


def _clipped(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return _CONTROLS.sub(" ", value)[:LONGEST_DESCRIPTION].strip() or None
