"""The revision of a bundle as a text that says which of two is older. Pure.

``NAME+SEQUENCE.DIGEST`` (``production+42.3f9a0c1b2d4e5f60``), or ``NAME.DIGEST`` without a sequence. OPA reports the
manifest's revision with each answer and nothing else of the manifest, so what a gateway must know stands in it; the
signature of the bundle covers it. Revisions of another form (a folder's hash, ``opa build --revision``) have none.
"""

from __future__ import annotations

import re

import msgspec

MAX_SEQUENCE = 2**53 - 1
"""What every reader of JSON keeps whole (RFC 8259 section 6); unix time in microseconds fits for centuries."""
DIGEST_LENGTH = 16
"""Digits of the content's SHA-256 that are shown; the whole digest is in the manifest's metadata."""
_NAME = r"[a-z0-9][a-z0-9_-]{0,63}"
_FORM = re.compile(rf"({_NAME})\+(0|[1-9][0-9]{{0,15}})\.([0-9a-f]{{{DIGEST_LENGTH}}})", re.ASCII)
NAME = re.compile(_NAME, re.ASCII)
"""Name of a bundle: of its profile, of its file, and in its URL."""


class Sequenced(msgspec.Struct, frozen=True, kw_only=True):
    """One revision that can be put in order. ``text`` is the revision as OPA reports it."""

    text: str
    name: str
    sequence: int


def revision_text(name: str, sequence: int | None, digest: str) -> str:
    """The revision of a bundle with this content. :raises ValueError: a name or a number that has no place in it."""
    if not NAME.fullmatch(name):
        raise ValueError("a bundle's name has 1 to 64 lower-case letters, digits, - and _")
    if sequence is None:
        return f"{name}.{digest[:DIGEST_LENGTH]}"
    if not 0 <= sequence <= MAX_SEQUENCE:
        raise ValueError(f"a sequence is 0 to {MAX_SEQUENCE}")
    return f"{name}+{sequence}.{digest[:DIGEST_LENGTH]}"


def sequenced(revision: str) -> Sequenced | None:
    """The revision of one bundle; None where it says no sequence."""
    found = _FORM.fullmatch(revision)
    if found is None or int(found[2]) > MAX_SEQUENCE:
        return None
    return Sequenced(text=revision, name=found[1], sequence=int(found[2]))
