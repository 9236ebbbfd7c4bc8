"""What the approver sees: rendered from the canonical arguments, nothing else, nothing hidden. Pure.

Attack: text that a person reads as one payee and a machine as another. Bidirectional controls, zero-width and TAG
characters, line breaks and other controls are shown as their code points; letters outside ASCII stay but the line
is flagged. The hash of the view is stored with the confirmation and checked at execution (invariant 8).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from gateway.policy.money import Money

MAX_LINES = 400
"""Leaves of one view. A longer call cannot be judged by a person and is not offered to one."""
MAX_TEXT = 500
"""Characters of one value shown in full; what is longer shows its length and a hash of the whole."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf of the arguments. ``flags`` names what a reader should look at twice."""

    path: str
    value: str
    flags: tuple[str, ...] = ()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The faithful picture of one call."""

    server: str
    tool: str
    money: str
    payee: str
    lines: tuple[Line, ...]
    asked_by: str
    reasons: tuple[str, ...]
    view_hash: str = ""


def render(
    *,
    server: str,
    tool: str,
    arguments: Mapping[str, Any],
    money: Money | None,
    asked_by: str,
    reasons: tuple[str, ...],
) -> View:
    """The view of one call, with its hash.

    The hash covers what will be *sent and to whom* (server, tool, money, payee, lines, asker), not the reasons: a
    reworded policy message does not unsay a person's signature.
    :raises ValueError: too many leaves to be judged by a person.
    """
    lines = tuple(_line(path, value) for path, value in _leaves(arguments, ""))
    if len(lines) > MAX_LINES:
        raise ValueError(f"the call has more than {MAX_LINES} values; nobody can judge that")
    view = View(
        server=visible(server),
        tool=visible(tool),
        money=_money(money),
        payee=visible(money.payee) if money is not None and money.payee else "not named in the call",
        lines=lines,
        asked_by=visible(asked_by),
        reasons=(),
    )
    view_hash = hashlib.sha256(msgspec.json.encode(view)).hexdigest()
    return msgspec.structs.replace(view, reasons=reasons, view_hash=view_hash)


def visible(text: str) -> str:
    """Text with everything invisible or direction-changing shown as ``<U+XXXX>``."""
    return "".join(char if _plain(char) else f"<U+{ord(char):04X}>" for char in text)


def _plain(char: str) -> bool:
    if " " <= char <= "~":
        return True
    category = unicodedata.category(char)
    # Letters, marks on them, numbers, punctuation and symbols can be seen; every separator but the plain space,
    # every control, format (bidi, zero-width, TAG), private-use and unassigned character cannot.
    # U+3164 and its kin are letters to Unicode and blank to the eye.
    return category[0] in "LNPS" and char not in "\u3164\u115f\u1160\uffa0\u2800"


def _money(money: Money | None) -> str:
    if money is None:
        return "moves no money"
    if money.amount is None:
        return "AMOUNT UNKNOWN"
    return visible(f"{money.amount} {money.currency or '(currency unknown)'}")


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from _leaves(one, f"{path}/{index}")
    else:
        yield path or "/", value


def _line(path: str, value: Any) -> Line:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    shown = visible(text)
    flags = []
    if shown != text:
        flags.append("invisible")
    if not text.isascii():
        flags.append("not_ascii")
    if len(shown) > MAX_TEXT:
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        shown = f"{shown[:MAX_TEXT]}… ({len(text)} characters, SHA-256 {digest}…)"
        flags.append("cut")
    return Line(path=visible(path), value=shown, flags=tuple(flags))
