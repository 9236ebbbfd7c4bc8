"""What may go on while an issuer cannot be asked (LLD-A 10.3, C53). Pure; strict unless the operator says otherwise.

Attack: whoever can silence the issuer, or edit an ``exp``, gets in. So nothing of the classes 1 to 3 and nothing with a
critical permission ever degrades, an expiry counts only from a token that verified before, and a withdrawn key ends
everything that rested on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from gateway.etdi.errors import TRANSIENT, EtdiCode

RECENTLY_EXPIRED_S: Final = 3600.0
CRITICAL_PERMISSIONS: Final = (("filesystem", "write"), ("network", "all"), ("admin",), ("system",))
"""LLD-A 9.1. The policy has its own list for what it decides; this one is a floor that no policy lowers."""


class Mode(StrEnum):
    """How much is put up with."""

    STRICT = "strict"
    MODERATE = "moderate"
    PERMISSIVE = "permissive"


class DegradationRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``cache_tolerance_s``: how old an earlier success may be. ``allow_legacy_fallback``: treat the tool as one
    without a token, for the policy to judge; in permissive mode only.

    :raises ValueError: a fallback in another mode.
    """

    mode: Mode = Mode.STRICT
    cache_tolerance_s: Annotated[float, Meta(ge=0, le=24 * 3600)] = 3600.0
    allow_legacy_fallback: bool = False

    def __post_init__(self) -> None:
        if self.allow_legacy_fallback and self.mode is not Mode.PERMISSIVE:
            raise ValueError("allow_legacy_fallback is for the mode permissive")


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """The last time that this very definition and token verified. ``expires``: the token's; both in unix seconds.
    ``key_stands``: the key behind it was not withdrawn since."""

    at: float
    expires: float
    key_stands: bool


class Degraded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``legacy``: it may proceed as a tool without a token. ``event`` names what is to be logged."""

    can_proceed: bool
    degradation_applied: bool
    reason: str
    legacy: bool = False
    event: str | None = None


def degraded(
    code: EtdiCode, rules: DegradationRules, *, last: Success | None, critical: bool, now: float
) -> Degraded:
    """Whether a definition that could not be verified may go on all the same."""
    if rules.mode is Mode.STRICT:
        return _no("Strict mode prohibits degradation")
    if code not in TRANSIENT and code is not EtdiCode.TOKEN_EXPIRED:
        return _no(f"Error type {code} doesn't allow degradation")
    if critical:
        return _no("Critical tool requires strict verification")
    if code is EtdiCode.TOKEN_EXPIRED:
        return _expired(rules, last, now)
    if last is not None and last.key_stands and now < last.expires:
        age = now - last.at
        if 0 <= age <= rules.cache_tolerance_s:
            return Degraded(
                can_proceed=True,
                degradation_applied=True,
                reason=f"Using cached verification ({round(age)}s old) due to {code}",
                event="verification_degradation_applied",
            )
    if rules.allow_legacy_fallback:
        return Degraded(
            can_proceed=True,
            degradation_applied=True,
            legacy=True,
            reason=f"Falling back to legacy mode due to {code}",
            event="legacy_fallback_applied",
        )
    return _no("No valid degradation path available")


def _expired(rules: DegradationRules, last: Success | None, now: float) -> Degraded:
    if rules.mode is Mode.PERMISSIVE and last is not None and last.key_stands:
        age = now - last.expires
        if 0 <= age < RECENTLY_EXPIRED_S:
            return Degraded(
                can_proceed=True,
                degradation_applied=True,
                reason=f"Recently expired token ({round(age)}s ago) accepted in permissive mode",
                event="expired_token_degradation",
            )
    return _no("Token expiry doesn't qualify for degradation")


def _no(reason: str) -> Degraded:
    return Degraded(can_proceed=False, degradation_applied=False, reason=reason)


def critical_permission(permissions: Sequence[str]) -> bool:
    """Whether one of these is critical, by segments (C46); ``*`` and a missing segment stand for any."""
    return any(_covers(name.split(":"), pattern) for name in permissions for pattern in CRITICAL_PERMISSIONS)


def _covers(segments: list[str], pattern: tuple[str, ...]) -> bool:
    if len(pattern) == 1:
        return pattern[0] in segments or segments[0] == "*"
    padded = [*segments, *["*"] * len(pattern)]
    return all(padded[index] in (segment, "*") for index, segment in enumerate(pattern))
