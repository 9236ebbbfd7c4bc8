"""Names that are read as other names: within a listing, and against other servers' tools. Pure.

Attack: ``create_refund`` with a Cyrillic letter, ``createRefund`` beside ``create_refund``, ``create_refnud``: a model,
or a person, picks the wrong one. Names are compared by what they look like (``folding.skeleton``), and across servers
also by one letter more, less, other or swapped. A plural and a number at the end are ordinary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from gateway.inspector.content_codes import CONTENT_CODES
from gateway.inspector.finding import Finding, Severity, excerpt, found
from gateway.inspector.folding import skeleton
from gateway.outcome.lookalike import has_lookalikes

_USUAL: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_MIN_NEAR: Final = 6
"""Letters of a name that is compared by distance: among shorter ones, neighbours are common."""
_MAX_NEAR: Final = 64
_NUMBER: Final = re.compile(r"\d+")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that is known from elsewhere. ``server`` is for people. ``reference``: everybody may have that name; only
    what looks like it, and is not it, is worth a word."""

    server: str
    name: str
    reference: bool = False


class KnownNames:
    """Names of other servers, to be looked up by look and by nearness."""

    def __init__(self, known: Sequence[Known]) -> None:
        self.names: Mapping[str, Known] = {one.name: one for one in known}
        self._by_skeleton = {skeleton(one.name): one for one in known}
        self._near: dict[str, list[Known]] = {}
        for one in known:
            for key in _neighbours(skeleton(one.name)):
                self._near.setdefault(key, []).append(one)

    def check(self, name: str) -> list[Finding]:
        """One name against those of other servers."""
        same = self.names.get(name)
        if same is not None:
            return [] if same.reference else [_of("SAME_NAME_ELSEWHERE", name, same)]
        drawn = skeleton(name)
        alike = self._by_skeleton.get(drawn) if drawn else None
        if alike is not None:
            return [_of("LOOKALIKE_NAME", name, alike)]
        for key in _neighbours(drawn):
            for one in self._near.get(key, ()):
                if _is_near(drawn, skeleton(one.name)):
                    return [_of("NEARBY_NAME", name, one)]
        return []


def check_name(name: str) -> list[Finding]:
    """What one name shows by itself."""
    if has_lookalikes(name):
        return [found(CONTENT_CODES, "LOOKALIKE_NAME", name=excerpt(name), because="it mixes alphabets")]
    if not _USUAL.fullmatch(name):
        return [found(CONTENT_CODES, "UNUSUAL_NAME", name=excerpt(name))]
    return []


def check_listing(names: Sequence[str]) -> dict[int, list[Finding]]:
    """Names of one server among themselves; by their place in ``names``."""
    findings: dict[int, list[Finding]] = {}
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        drawn = skeleton(name) or name
        before = first.setdefault(drawn, index)
        if before == index:
            continue
        other = Known(server="this server", name=names[before])
        if names[before] == name:
            finding = _of("DUPLICATE_NAME", name, other)
        else:
            # `getUser` beside `get_user` is an old name kept; letters of another alphabet are an attack.
            ascii_both = name.isascii() and names[before].isascii()
            finding = _of("LOOKALIKE_NAME", name, other, severity=Severity.MEDIUM if ascii_both else None)
        findings.setdefault(index, []).append(finding)
    return findings


def _of(code: str, name: str, other: Known, *, severity: Severity | None = None) -> Finding:
    return found(
        CONTENT_CODES,
        code,
        severity=severity,
        name=excerpt(name),
        other=excerpt(other.name),
        server=excerpt(other.server),
    )


def _neighbours(drawn: str) -> Iterator[str]:
    """Itself and all that have one letter less: two names one step apart share one of these."""
    if not _MIN_NEAR <= len(drawn) <= _MAX_NEAR:
        return
    yield drawn
    for index in range(len(drawn)):
        yield drawn[:index] + drawn[index + 1 :]


def _is_near(one: str, other: str) -> bool:
    """One letter inserted, removed, replaced, or two neighbours swapped."""
    if one == other or _NUMBER.sub("#", one) == _NUMBER.sub("#", other):
        return False
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1 or long == f"{short}s":
        return False
    if len(short) < len(long):
        return any(long[:index] + long[index + 1 :] == short for index in range(len(long)))
    differing = [index for index in range(len(one)) if one[index] != other[index]]
    if len(differing) == 1:
        return True
    return (
        len(differing) == 2
        and differing[1] == differing[0] + 1
        and one[differing[0]] == other[differing[1]]
        and one[differing[1]] == other[differing[0]]
    )
