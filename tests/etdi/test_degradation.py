"""Strict never degrades; nothing sensitive ever does; and only silence of an issuer counts as a reason (C53)."""

from __future__ import annotations

import itertools

import pytest

from gateway.etdi.degradation import DegradationRules, Mode, Success, critical_permission, degraded
from gateway.etdi.errors import TRANSIENT, EtdiCode
from gateway.etdi.verifier import DEGRADED_S, Rules
from tests.etdi.test_token import Silent
from tests.etdi.test_verifier import Rotating
from tests.support.keys import SigningKey
from tests.support.tool_tokens import NOW, Bench, token, tool

AGES = (None, 0.0, 3599.0, 3601.0)


def success(age: float | None, *, expires: float = NOW + 600, key_stands: bool = True) -> Success | None:
    """An earlier one, so old."""
    return None if age is None else Success(at=NOW - age, expires=expires, key_stands=key_stands)


@pytest.mark.parametrize(
    ("mode", "code", "age", "critical"),
    list(itertools.product(Mode, EtdiCode, AGES, [False, True])),
)
def test_the_table(mode: Mode, code: EtdiCode, age: float | None, *, critical: bool) -> None:
    """Mode by error by age by criticality: what may proceed is said here, and nothing else may."""
    rules = DegradationRules(mode=mode)
    answer = degraded(code, rules, last=success(age), critical=critical, now=NOW)
    may = mode is not Mode.STRICT and not critical and code in TRANSIENT and age in (0.0, 3599.0)
    assert (answer.can_proceed, answer.degradation_applied, answer.legacy) == (may, may, False)
    assert answer.reason


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize(("ago", "recent"), [(0, True), (3599, True), (3600, False), (-5, False)])
def test_an_expired_token(mode: Mode, ago: float, *, recent: bool) -> None:
    """Only where it verified before, within the hour, in permissive mode."""
    last = success(4000, expires=NOW - ago)
    code = EtdiCode.TOKEN_EXPIRED
    answer = degraded(code, DegradationRules(mode=mode), last=last, critical=False, now=NOW)
    assert answer.can_proceed == (mode is Mode.PERMISSIVE and recent)
    assert not degraded(code, DegradationRules(mode=mode), last=None, critical=False, now=NOW).can_proceed


@pytest.mark.parametrize("code", [EtdiCode.TIMEOUT, EtdiCode.TOKEN_EXPIRED])
def test_a_withdrawn_key_ends_everything(code: EtdiCode) -> None:
    """In every mode."""
    expires = NOW - 5 if code is EtdiCode.TOKEN_EXPIRED else NOW + 600
    last = success(1, expires=expires, key_stands=False)
    for mode in Mode:
        assert not degraded(code, DegradationRules(mode=mode), last=last, critical=False, now=NOW).can_proceed


def test_legacy_fallback_is_for_permissive_alone() -> None:
    """And off unless it is asked for."""
    for mode in (Mode.STRICT, Mode.MODERATE):
        with pytest.raises(ValueError, match="permissive"):
            DegradationRules(mode=mode, allow_legacy_fallback=True)
    rules = DegradationRules(mode=Mode.PERMISSIVE, allow_legacy_fallback=True)
    answer = degraded(EtdiCode.TIMEOUT, rules, last=None, critical=False, now=NOW)
    assert (answer.can_proceed, answer.legacy) == (True, True)
    assert not degraded(EtdiCode.TIMEOUT, rules, last=None, critical=True, now=NOW).can_proceed
    assert DegradationRules().mode is Mode.STRICT


@pytest.mark.parametrize(
    ("permission", "critical"),
    [
        ("filesystem:write", True),
        ("filesystem:write:/tmp", True),
        ("filesystem:*", True),
        ("filesystem", True),
        ("filesystem:read", False),
        ("myfilesystem:write", False),
        ("network:all", True),
        ("network:*", True),
        ("network:access", False),
        ("admin", True),
        ("users:admin", True),
        ("administrative:notes", False),
        ("system", True),
        ("ecosystem:read", False),
        ("*", True),
        ("parcels:read", False),
    ],
)
def test_critical_permissions(permission: str, *, critical: bool) -> None:
    """By segments, not by parts of words (C46)."""
    assert critical_permission(["parcels:read", permission]) is critical


MODERATE = Rules(degradation=DegradationRules(mode=Mode.MODERATE), cache_ttl_s=60)


async def once_verified(bench: Bench, keys: Rotating, jwt: str) -> None:
    """It verifies; then its verdict gets old and the issuer falls silent."""
    assert (await bench.status(tool(jwt)))[0] == "verified"
    bench.clock.advance(61)
    keys.inner = Silent()  # type: ignore[assignment]


@pytest.mark.parametrize("sensitive", [False, True])
async def test_a_verdict_that_degrades(*, sensitive: bool) -> None:
    """It says so, for half a minute, and is told; a sensitive tool's does not."""
    keys, jwt = Rotating(), token()
    bench = Bench(keys=keys, rules=MODERATE, sensitive=sensitive)
    await once_verified(bench, keys, jwt)
    verdict = await bench.verdict(tool(jwt))
    if sensitive:
        assert (verdict.etdi.status, verdict.etdi.error) == ("token_invalid", "provider_unavailable")
        assert bench.told == ["verification_degradation_attempted"]
        return
    assert (verdict.etdi.status, verdict.etdi.evidence) == ("verified", "token")
    assert verdict.etdi.error == "provider_unavailable"
    assert bench.told == ["verification_degradation_attempted", "verification_degradation_applied"]
    bench.clock.advance(DEGRADED_S)
    assert not bench.verifier.stands(verdict)


async def test_strict_does_not_degrade() -> None:
    """The default: whoever silences the issuer gains nothing."""
    keys, jwt = Rotating(), token()
    bench = Bench(keys=keys, rules=Rules(cache_ttl_s=60))
    await once_verified(bench, keys, jwt)
    assert (await bench.status(tool(jwt)))[0] == "token_invalid"
    assert bench.told == []


async def test_nothing_that_never_verified_degrades() -> None:
    """Attack: block the issuer, then bring a forged token; another token, or another version, of a verified tool."""
    keys = Rotating()
    bench = Bench(keys=keys, rules=MODERATE)
    await once_verified(bench, keys, token())
    for hostile in (SigningKey("ES256", "key-1").sign({}), token(jti="another")):
        assert (await bench.status(tool(hostile)))[0] == "token_invalid"
    assert (await bench.status(tool(token(), version="9.9.9")))[0] == "token_invalid"


async def test_legacy_fallback_is_the_policys_to_judge() -> None:
    """It is unverified then, and never verified."""
    rules = Rules(degradation=DegradationRules(mode=Mode.PERMISSIVE, allow_legacy_fallback=True))
    bench = Bench(keys=Silent(), rules=rules)
    assert await bench.status(tool()) == ("unverified", None, "provider_unavailable")
    assert bench.told[-1] == "legacy_fallback_applied"
