"""The errors of identity providers in one shape (R113). Pure.

What a provider answers is shown to people and goes to logs, so secrets and tokens are cut out of it first: the client's
own secret, wherever it stands, anything that looks like a token, and members that are named as secrets are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.authoring.errors import Problem

UNKNOWN: Final = "unknown_error"
MAX_TEXT_CHARS: Final = 500
_REMOVED: Final = "<removed>"
_TOKEN: Final = re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?|(?i:\bbearer\s+)\S+")
_SECRET_MEMBERS: Final = frozenset(
    {
        "access_token",
        "refresh_token",
        "id_token",
        "client_secret",
        "client_assertion",
        "assertion",
        "password",
    }
)
_NAMES: Final = {"auth0": "Auth0", "okta": "Okta", "azure": "Azure AD"}


def normalise(kind: str, answer: Mapping[str, Any] | None, *, secret: str = "") -> Problem:
    """An error answer -> :class:`Problem`. None, or an empty answer, is ``unknown_error``."""
    if not answer:
        return Problem(code=UNKNOWN, message="Unknown error occurred")
    clean = _clean(answer, secret)
    code, message = clean.get("error"), clean.get("error_description")
    if kind == "okta":
        code, message = code or clean.get("errorCode"), message or clean.get("errorSummary")
    elif kind not in _NAMES:
        message = message or clean.get("message")
    whose = f"{_NAMES[kind]} " if kind in _NAMES else ""
    return Problem(
        code=code if isinstance(code, str) and code else UNKNOWN,
        message=message if isinstance(message, str) and message else f"Unknown {whose}error",
        details=_details(kind, clean),
        provider_specific=clean,
    )


def _details(kind: str, clean: Mapping[str, Any]) -> dict[str, Any] | None:
    if kind == "auth0" and clean.get("error_uri"):
        return {"moreInfo": clean["error_uri"]}
    if kind == "azure" and clean.get("correlation_id"):
        return {"correlationId": clean["correlation_id"]}
    return None


def _clean(answer: Mapping[str, Any], secret: str) -> dict[str, Any]:
    return {
        str(key)[:MAX_TEXT_CHARS]: _REMOVED if str(key).lower() in _SECRET_MEMBERS else _value(value, secret)
        for key, value in answer.items()
    }


def _value(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        if secret:
            value = value.replace(secret, _REMOVED)
        return _TOKEN.sub(_REMOVED, value)[:MAX_TEXT_CHARS]
    if isinstance(value, Mapping):
        return _clean(value, secret)
    if isinstance(value, list):
        return [_value(one, secret) for one in value]
    return value
