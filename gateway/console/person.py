"""Who sits at the browser, as a frozen value. Every way to sign in ends in one of these. Pure."""

from __future__ import annotations

import unicodedata
from typing import Literal

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated person (``person`` of the admin question).

    ``assurance`` says how they proved it: ``link`` (a one-time link from the operator's terminal) or ``oidc``.
    What is *not* said here: that the person may do anything. That is the policy's business.
    """

    issuer: str
    subject: str
    roles: tuple[str, ...]
    assurance: Literal["link", "oidc"]


def same_name(one: str, other: str) -> bool:
    """Whether two subjects could be one person: case, compatibility forms and outer blanks do not make two.

    Issuers are left out on purpose. Attack: the caller signs in at the console by another way (a link instead of
    the identity provider), is another issuer there, and countersigns its own call.
    """
    return _folded(one) == _folded(other)


def _folded(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).casefold().strip()
