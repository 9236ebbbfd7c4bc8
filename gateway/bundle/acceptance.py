"""Which revision of the policy was accepted last, in the store; and what follows for another one.

One small document for all gateways on a store, changed by compare-and-set: two gateways that see a new revision at the
same moment do not put each other back. Errors: ``StoreUnavailable``.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.bundle.revision import Sequenced, sequenced
from gateway.errors import StoreUnavailable
from gateway.state.store import Space, Store

KEY = "accepted"
ATTEMPTS = 20


class Accepted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``revision`` decides; ``before`` is the one that it took over from, at ``at`` (unix seconds).

    ``highest`` is the highest sequence that was ever accepted: after a person went back, what was left does not count
    as newer. ``by`` is who accepted it by hand; None: it was newer than all before it.
    """

    revision: str
    highest: int
    at: int
    before: str | None = None
    by: str | None = None


class Standing(StrEnum):
    """How a revision stands to the accepted one."""

    NEWER = "newer"
    ACCEPTED = "accepted"
    LEAVING = "leaving"  # took part until a moment ago: the sidecars do not all change at once
    OLDER = "older"


def standing(found: Sequenced, accepted: Accepted | None, *, now: float, rollout_s: float) -> Standing:
    """Pure. Another revision of the accepted one's sequence counts as older: which of them is newer, nobody can say.

    The order is one over all names: a sandbox's policy does not become production's by a name of its own.
    """
    if accepted is None or found.sequence > accepted.highest:
        return Standing.NEWER
    if found.text == accepted.revision:
        return Standing.ACCEPTED
    if found.text == accepted.before and now < accepted.at + rollout_s:
        return Standing.LEAVING
    return Standing.OLDER


async def read_accepted(store: Store) -> Accepted | None:
    """The accepted one. :raises StoreUnavailable: also when what is there cannot be read."""
    return decode(await store.get(Space.POLICY, KEY))


async def take_up(
    store: Store, found: Sequenced, *, now: float, rollout_s: float
) -> tuple[Standing, Accepted]:
    """Accept this revision if it is newer than the accepted one; how it stood, and what is accepted now."""
    for _ in range(ATTEMPTS):
        document = await store.get(Space.POLICY, KEY)
        accepted = decode(document)
        stands = standing(found, accepted, now=now, rollout_s=rollout_s)
        if stands is not Standing.NEWER:
            assert accepted is not None  # nothing is older than nothing
            return stands, accepted
        taken = Accepted(
            revision=found.text,
            highest=found.sequence,
            at=int(now),
            before=None if accepted is None else accepted.revision,
        )
        if await _replaced(store, document, taken):
            return stands, taken
    raise _contended()


async def accept(
    store: Store, found: Sequenced, *, by: str, now: float, forget: bool = False
) -> Accepted | None:
    """Let this revision decide, also if it is older; what was accepted until now, which decides no longer.

    ``forget``: what has a higher sequence counts as newer again, for the day on which a sequence was too high.
    """
    for _ in range(ATTEMPTS):
        document = await store.get(Space.POLICY, KEY)
        accepted = decode(document)
        highest = found.sequence
        if accepted is not None and not forget:
            highest = max(highest, accepted.highest)
        taken = Accepted(revision=found.text, highest=highest, at=int(now), by=by)
        if await _replaced(store, document, taken):
            return accepted
    raise _contended()


def decode(document: bytes | None) -> Accepted | None:
    """:raises StoreUnavailable: it cannot be read; nobody guesses then which policy was the last one."""
    if document is None:
        return None
    try:
        found = msgspec.json.decode(document, type=Accepted)
    except ValueError:
        found = None
    read = None if found is None else sequenced(found.revision)
    if found is None or read is None or read.sequence > found.highest:
        raise StoreUnavailable(
            "The accepted revision in the store cannot be read.", code="policy.acceptance_unreadable"
        )
    return found


async def _replaced(store: Store, document: bytes | None, taken: Accepted) -> bool:
    value = msgspec.json.encode(taken)
    if document is None:
        return await store.add(Space.POLICY, KEY, value, ttl_s=None)
    return await store.swap(Space.POLICY, KEY, expected=document, value=value, ttl_s=None)


def _contended() -> StoreUnavailable:
    return StoreUnavailable(
        "The accepted revision changes too often at the moment; try again.",
        code="policy.acceptance_contended",
    )
