"""Who sits at the browser, as a frozen value. Every way to sign in ends in one of these. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated person (``person`` of the admin question).

    ``assurance`` says how they proved it: ``link`` (a one-time link from the operator's terminal), ``oidc``, or
    ``agent``: a program came with an access token of theirs, and nobody knows whether they know.
    ``assurance`` says how they proved it: ``link`` (a one-time link from the operator's terminal) or ``oidc``.
    ``agent`` is no person: a program that showed an access token at an HTTP door of administration; nobody signs in so.
    What is *not* said here: that the person may do anything. That is the policy's business.
    """

    issuer: str
    subject: str
    roles: tuple[str, ...]
    assurance: Literal["agent", "link", "oidc"]
