"""Is this still the tool that was approved? In the order of R093."""

import itertools
from typing import Any

import msgspec
import pytest

from gateway.catalog.drift import Drift, check, drift
from gateway.catalog.tool import Etdi, EtdiStatus
from tests.support.walking import a_tool, an_approval

NOW = 1_795_224_000.0
TOOL, APPROVAL = a_tool(), an_approval()

# Each difference, strictest first: what it does to the tool, what to the approval.
STEPS: list[tuple[Drift, dict[str, Any], dict[str, Any]]] = [
    (Drift.TOKEN_INVALID, {"etdi": Etdi(status=EtdiStatus.TOKEN_INVALID)}, {}),
    (Drift.APPROVAL_REVOKED, {}, {"revoked": True}),
    (Drift.APPROVAL_EXPIRED, {}, {"expires": int(NOW)}),
    (Drift.VERSION_CHANGED, {"version": "1.0.1"}, {}),
    (Drift.PROVIDER_CHANGED, {"provider": "other"}, {}),
    (Drift.PERMISSIONS_CHANGED, {"permissions": ("pay", "more")}, {}),
    (Drift.DEFINITION_CHANGED, {"definition_hash": "e" * 64}, {}),
]


@pytest.mark.parametrize("chosen", list(itertools.product([False, True], repeat=len(STEPS))))
def test_the_first_difference_decides(chosen: tuple[bool, ...]) -> None:
    """All 128 combinations: the strictest of those present is told, and none is told where none is."""
    present = [step for step, there in zip(STEPS, chosen, strict=True) if there]
    tool, approval = TOOL, APPROVAL
    for _, changed, altered in present:
        tool = msgspec.structs.replace(tool, **changed)
        approval = msgspec.structs.replace(approval, **altered)
    assert drift(tool, approval, now=NOW) == (present[0][0] if present else None)


def test_a_bad_signature_counts_like_a_bad_token() -> None:
    """Before any approval is looked at, also without one."""
    tool = a_tool(etdi=Etdi(status=EtdiStatus.SIGNATURE_INVALID))
    for approval in (None, APPROVAL, an_approval(revoked=True)):
        assert drift(tool, approval, now=NOW) is Drift.SIGNATURE_INVALID


@pytest.mark.parametrize("status", [EtdiStatus.VERIFIED, EtdiStatus.UNVERIFIED])
def test_no_approval_is_no_drift(status: EtdiStatus) -> None:
    """Whether a tool that nobody approved may be called is the policy's question."""
    assert drift(a_tool(etdi=Etdi(status=status)), None, now=NOW) is None


@pytest.mark.parametrize(("after", "over"), [(-1.0, False), (-0.001, False), (0.0, True), (1.0, True)])
def test_an_approval_ends_at_its_second(after: float, *, over: bool) -> None:
    """Not one later."""
    found = drift(TOOL, an_approval(expires=int(NOW)), now=NOW + after)
    assert (found is Drift.APPROVAL_EXPIRED) == over


@pytest.mark.parametrize(
    ("current", "requested", "changed"),
    [
        ((), (), False),
        ((), ("a",), True),
        (("a",), (), True),
        (("a",), ("a",), False),
        (("a", "b"), ("b", "a"), False),
        (("a", "a"), ("a",), False),
        (("a",), ("a", "b"), True),
        (("a", "b"), ("a",), True),
        (("A",), ("a",), True),
    ],
)
def test_permissions_are_sets(current: tuple[str, ...], requested: tuple[str, ...], *, changed: bool) -> None:
    """R096, and stricter: fewer permissions are another tool too. Requested is compared with requested (C21)."""
    found = drift(a_tool(permissions=current), an_approval(requested=requested, approved=()), now=NOW)
    assert (found is Drift.PERMISSIONS_CHANGED) == changed


@pytest.mark.parametrize(
    ("live", "approved"), [(None, "1.0.0"), ("1.0.0", None), ("1.0", "1.0.0"), ("", None)]
)
def test_a_missing_version_is_another_version(live: str | None, approved: str | None) -> None:
    """And no spelling is taken for another."""
    found = drift(a_tool(version=live), an_approval(version=approved), now=NOW)
    assert found is Drift.VERSION_CHANGED


@pytest.mark.parametrize(
    ("tool", "approval", "reason", "helps"),
    [
        ({}, {}, None, False),
        ({"etdi": Etdi(status=EtdiStatus.TOKEN_INVALID)}, {}, Drift.TOKEN_INVALID, False),
        ({"etdi": Etdi(status=EtdiStatus.SIGNATURE_INVALID)}, {}, Drift.SIGNATURE_INVALID, False),
        ({}, None, Drift.NOT_APPROVED, True),
        ({}, {"void": "edited", "revoked": True}, Drift.APPROVAL_VOID, True),
        ({}, {"revoked": True}, Drift.APPROVAL_REVOKED, True),
        ({}, {"expires": int(NOW)}, Drift.APPROVAL_EXPIRED, True),
        ({"version": "0.9.0"}, {}, Drift.VERSION_CHANGED, True),
        ({"provider": "other"}, {}, Drift.PROVIDER_CHANGED, True),
        ({"permissions": ("pay", "more")}, {}, Drift.PERMISSIONS_CHANGED, True),
        ({"definition_hash": "e" * 64}, {}, Drift.DEFINITION_CHANGED, True),
    ],
)
def test_the_answer_before_each_call(
    tool: dict[str, Any], approval: dict[str, Any] | None, reason: Drift | None, *, helps: bool
) -> None:
    """R093 to R095: whether it may be called, why not, and whether a new approval would help. An older version is
    another version (rollback); without an approval the origin still counts first."""
    found = check(a_tool(**tool), None if approval is None else an_approval(**approval), now=NOW)
    assert (found.can_proceed, found.reason, found.requires_reapproval) == (reason is None, reason, helps)
    if helps or reason is None:
        return
    assert check(a_tool(**tool), None, now=NOW).reason is reason
