"""What ``WWW-Authenticate`` asks for (RFC 9110 section 11.6.1, RFC 6750, RFC 9449, RFC 9728). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

MAX_CHALLENGE = 8_192
"""Characters of all challenges together."""
MAX_SCOPES = 64
_PART = re.compile(
    r"""\s*(?:
        (?P<key>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s,"]+))
        |(?P<scheme>[!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?=\s|,|$)
        |(?P<comma>,)
    )""",
    re.VERBOSE,
)
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}")


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """One challenge of a 401 or 403."""

    scheme: str
    parameters: dict[str, str]

    @property
    def error(self) -> str:
        """The OAuth error code; empty where there is none."""
        return self.parameters.get("error", "")

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the operation needs."""
        return scopes_of(self.parameters.get("scope"))


def challenges(values: Sequence[str]) -> tuple[Challenge, ...]:
    """All challenges of a response, in order; what cannot be read ends the reading."""
    text = ", ".join(values)[:MAX_CHALLENGE]
    found: list[Challenge] = []
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part.end() == at:
            break
        at = part.end()
        if part["scheme"]:
            found.append(Challenge(scheme=part["scheme"].lower(), parameters={}))
        elif part["key"] and found:
            quoted = part["quoted"]
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else part["plain"]
            found[-1].parameters.setdefault(part["key"].lower(), value)
    return tuple(found)


def scopes_of(value: object) -> tuple[str, ...]:
    """A space-separated list of scopes; what is no scope (RFC 6749 section 3.3) is left out."""
    words = value.split() if isinstance(value, str) else []
    return tuple(dict.fromkeys(one for one in words[:MAX_SCOPES] if _SCOPE.fullmatch(one)))
