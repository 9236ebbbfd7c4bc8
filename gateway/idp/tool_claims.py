"""What a token shall say of a tool: one JSON field or plain fields, never two stories (R101, C27). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.idp.errors import OAuthRefused, Refusal
from gateway.idp.provider import Provider, is_tool_id

FIELD: Final = "tool_claims"
NAMES: Final = ("tool_id", "tool_version", "tool_provider", "definition_hash")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,63}", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ToolClaims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one tool of one provider; with ``definition_hash`` that definition and no other."""

    tool_id: str
    tool_version: str
    tool_provider: str
    definition_hash: str | None = None


def requested_tool(form: Mapping[str, str], provider: Provider) -> ToolClaims | None:
    """The claims that are asked for; None where there are none.

    NOT checked: that no other provider owns the tool (``providers.py``).

    :raises OAuthRefused: half a tool, two spellings that differ, or a tool that is not this provider's.
    """
    asked = {name: form[name] for name in NAMES if name in form}
    for name, value in _from_json(form.get(FIELD)).items():
        if asked.setdefault(name, value) != value:
            raise _refused(f"{name} stands in {FIELD} and beside it, with two values.")
    if not asked:
        return None
    tool_id, version = asked.get("tool_id"), asked.get("tool_version")
    if tool_id is None or version is None:
        raise _refused("A tool's token needs tool_id and tool_version.")
    if not is_tool_id(tool_id):
        raise _refused("tool_id has 1 to 200 visible ASCII characters.")
    if not _VERSION.fullmatch(version):
        raise _refused("tool_version is a version such as 1.2.0.")
    digest = asked.get("definition_hash")
    if digest is not None and not _HASH.fullmatch(digest):
        raise _refused("definition_hash has 64 hex digits, in lower case.")
    # Attack: a provider with credentials of its own asks for a token in another's name.
    if asked.get("tool_provider", provider.id) != provider.id:
        raise foreign_tool()
    if not provider.provides(tool_id):
        raise foreign_tool()
    return ToolClaims(
        tool_id=tool_id, tool_version=version, tool_provider=provider.id, definition_hash=digest
    )


def foreign_tool() -> OAuthRefused:
    """The one answer for a tool of somebody else, and for one that nobody was granted."""
    return OAuthRefused(
        Refusal.FOREIGN_TOOL, "That tool is not one of this provider's; ask the operator to grant it."
    )


def _from_json(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    try:
        parsed: Any = strict_json.parse(text.encode("utf-8"))
    except (MalformedRequest, UnicodeEncodeError):
        raise _refused(f"{FIELD} is not strict JSON.") from None
    if not isinstance(parsed, dict) or not set(NAMES).issuperset(parsed):
        raise _refused(f"{FIELD} is an object of {', '.join(NAMES)}.")
    if not all(isinstance(value, str) for value in parsed.values()):
        raise _refused(f"The members of {FIELD} are strings.")
    return parsed


def _refused(message: str) -> OAuthRefused:
    return OAuthRefused(Refusal.INVALID_REQUEST, message)
