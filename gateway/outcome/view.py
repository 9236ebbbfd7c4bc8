"""What the approver sees: rendered from the canonical arguments, nothing else, nothing hidden. Pure.

Attack: text that a person reads as one payee and a machine as another. Bidirectional controls, zero-width and TAG
characters, line breaks and other controls are shown as their code points, in names as in values; letters outside
ASCII stay but the line is flagged, and flagged again where they pass for other letters (``lookalike.py``). The hash of
the view is stored with the confirmation and checked at execution (invariant 8).
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from gateway.canonical import canonical_hash
from gateway.outcome.lookalike import LOOKALIKE, has_lookalikes
from gateway.policy.money import Money

MAX_LINES = 400
"""Leaves of one view. A longer call cannot be judged by a person and is not offered to one."""
MAX_TEXT = 500
"""Characters of one value shown in full; what is longer shows its length and a hash of the whole."""
MAX_BYTES = 512 * 1024
"""Of one view, encoded: with what is found at the target it still fits into the store (``state.store``)."""
NO_MONEY = "not known to move money"
"""Said of a tool of PayPal that moves none, and of every tool of a server whose tools nobody described: that those move
none would be the gateway's word for what it does not know."""
NO_ARGUMENTS = "(no arguments)"
"""Path of the one line of an empty call; no other path begins without a slash."""
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U00013441\U00013442\U0001d159")
"""Letters and symbols to Unicode, and nothing to the eye: Hangul fillers, blanks of Braille, hieroglyphs, music."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One leaf of the arguments. ``flags`` names what a reader should look at twice."""

    path: str
    value: str
    flags: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing at the target, as it is and as the call makes it. ``now`` None: the target does not say, or there is
    nothing yet; ``becomes`` None: it stays as it is."""

    name: str
    now: str | None
    becomes: str | None
    flags: tuple[str, ...] = ()


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at the target when the call began to wait (``before.py``). ``at`` is unix seconds; ``unreadable``
    says why there is nothing, and is empty where there is something."""

    at: int
    changes: tuple[Change, ...] = ()
    unreadable: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The faithful picture of one call. ``before`` is for whoever decides, and goes to no caller: it holds what the
    caller may not be allowed to read."""

    server: str
    tool: str
    money: str
    payee: str
    lines: tuple[Line, ...]
    asked_by: str
    reasons: tuple[str, ...]
    view_hash: str = ""
    before: Before | None = None
    payer: str = ""
    """Who pays, where somebody else than the caller's side is known to."""


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

    The hash covers what will be *sent and to whom* (server, tool, money, payee, lines, asker, and the canonical
    arguments themselves, since two documents can look alike: ``1`` and ``"1"``), not the reasons: a reworded policy
    message does not unsay a person's signature.
    Attack: one long name above four hundred values, which every line of the view repeats.
    :raises ValueError: too many leaves or too much text to be judged by a person, or no canonical form.
    """
    arguments_hash = canonical_hash(arguments)
    leaves = list(islice(_leaves(arguments, ""), MAX_LINES + 1))
    if len(leaves) > MAX_LINES:
        raise ValueError(f"it has more than {MAX_LINES} values; nobody can judge that")
    view = View(
        server=_name(server),
        tool=_name(tool),
        money=_money(money),
        payee=_payee(money),
        payer="" if money is None else _name(", ".join(money.payers)),
        lines=tuple(_line(path or NO_ARGUMENTS, value) for path, value in leaves),
        asked_by=_name(asked_by),
        reasons=(),
    )
    encoded = msgspec.json.encode((arguments_hash, view))
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"its picture is over {MAX_BYTES} bytes; nobody can judge that")
    view_hash = hashlib.sha256(encoded).hexdigest()
    return msgspec.structs.replace(view, reasons=reasons, view_hash=view_hash)


def with_before(view: View, before: Before | None) -> View:
    """The picture with what is at the target beside it; its hash covers both. ``view`` is as :func:`render` made it."""
    if before is None:
        return view
    view_hash = hashlib.sha256(msgspec.json.encode((view.view_hash, before))).hexdigest()
    return msgspec.structs.replace(view, before=before, view_hash=view_hash)


def change(name: str, now: Any, becomes: Any) -> Change:
    """One row of :class:`Before`, from values as the target and the arguments have them; None stays None."""
    shown_now, now_flags = (None, ()) if now is None else _shown(_text(now))
    shown_then, then_flags = (None, ()) if becomes is None else _shown(_text(becomes))
    flags = tuple(dict.fromkeys((*now_flags, *then_flags)))
    return Change(name=_name(name), now=shown_now, becomes=shown_then, flags=flags)


def visible(text: str) -> str:
    """Text with everything invisible or direction-changing shown as ``<U+XXXX>``.

    No two texts look the same: what already reads like such a code point has its ``<`` spelt out.
    """
    if text.isascii() and text.isprintable() and "<U+" not in text:
        return text
    return "<U+003C>U+".join(
        "".join(char if _plain(char) else f"<U+{ord(char):04X}>" for char in part)
        for part in text.split("<U+")
    )


def _plain(char: str) -> bool:
    if " " <= char <= "~":
        return True
    # Letters, numbers, punctuation and symbols can be seen; every separator but the plain space, every control,
    # format (bidi, zero-width, TAG), private-use and unassigned character cannot. Combining marks are spelt out
    # too: one too many turns a letter into another.
    return unicodedata.category(char)[0] in "LNPS" and char not in _BLANK


def _name(text: str) -> str:
    shown, _ = _shown(text)
    return shown


def _shown(text: str) -> tuple[str, tuple[str, ...]]:
    shown = visible(text)
    flags = []
    if shown != text:
        flags.append("invisible")
    if not text.isascii():
        flags.append("not_ascii")
    if has_lookalikes(text):
        flags.append(LOOKALIKE)
    if len(shown) > MAX_TEXT:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        shown = f"{shown[:MAX_TEXT]}… ({len(text)} characters, SHA-256 {digest}…)"
        flags.append("cut")
    return shown, tuple(flags)


def _money(money: Money | None) -> str:
    if money is None:
        return NO_MONEY
    if money.amount is None:
        return "AMOUNT UNKNOWN"
    return _name(f"{money.amount} {money.currency or '(currency unknown)'}")


def _payee(money: Money | None) -> str:
    """All of them: a person who reads only the first signs for the others, too."""
    if money is None or not (money.payee or money.payees):
        return "not named in the call"
    return _name(money.payee or ", ".join(money.payees))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value):
            yield from _leaves(value[key], f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from _leaves(one, f"{path}/{index}")
    else:
        yield path, value


def _line(path: str, value: Any) -> Line:
    shown_path, path_flags = _shown(path)
    shown, flags = _shown(_text(value))
    return Line(path=shown_path, value=shown, flags=tuple(dict.fromkeys((*flags, *path_flags))))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
