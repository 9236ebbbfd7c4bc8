"""Which policy revision a running gateway judges by, and waiting until an edit has taken effect."""

from __future__ import annotations

from tests.support.house import House
from tests.support.until import until_answered


async def revision_of(house: House) -> str:
    """The revision as the operator's probe tells it."""
    revision = (await house.gateway.probe.readiness())["policy"]["revision"]
    assert isinstance(revision, str)
    return revision


async def until_revision_changes(house: House, old: str) -> None:
    """Return once another revision decides. Bounded by the test's own timeout."""

    async def changed() -> bool:
        return await revision_of(house) != old

    await until_answered(changed)
