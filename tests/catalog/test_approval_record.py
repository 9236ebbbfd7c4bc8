"""Records of approvals: bounded, whoever adds to them."""

from gateway.catalog.approval_record import (
    MAX_CHANGES,
    MAX_EVENTS,
    MAX_LINE,
    MAX_REQUESTS,
    Actor,
    ApprovalRecord,
    asked_before,
    event_of,
    following,
)
from tests.support.walking import an_approval

ANN = Actor(name="ann")


def record(*kinds: str) -> ApprovalRecord:
    """After these decisions, one a second."""
    made: ApprovalRecord | None = None
    for at, kind in enumerate(kinds):
        event = event_of(
            "requested" if kind == "?" else "approved", Actor(name=f"{kind}{at}"), at, an_approval()
        )
        made = following(made, server="s", tool="t", number=at + 1, approval=None, events=(event,))
    assert made is not None
    return made


def test_old_events_make_room() -> None:
    """The audit has them all."""
    made = record(*["a"] * (MAX_EVENTS + 5))
    assert [one.at for one in made.history] == list(range(5, MAX_EVENTS + 5))


def test_whoever_only_asks_does_not_crowd_out_what_was_decided() -> None:
    """Attack: a thousand requests, and nobody sees any more who approved it."""
    made = record("a", *["?"] * 100, "a")
    assert [one.kind for one in made.history] == ["approved", *["requested"] * MAX_REQUESTS, "approved"]
    assert [one.at for one in made.history][1:-1] == list(range(101 - MAX_REQUESTS, 101))


def test_texts_are_bounded() -> None:
    """A server's words are in there."""
    event = event_of("approved", ANN, 1, why="y" * 999, changes=("x" * 999,) * 99)
    assert len(event.why or "") == MAX_LINE
    assert len(event.changes) == MAX_CHANGES
    assert all(len(line) <= MAX_LINE for line in event.changes)


def test_a_request_is_the_same_until_something_was_decided() -> None:
    """Of the same person, for the same definition."""
    again = event_of("requested", Actor(name="?1"), 9, an_approval())
    assert asked_before(record("a", "?"), again)
    assert not asked_before(record("a", "?", "a"), again)
    assert not asked_before(record("a", "?"), event_of("requested", Actor(name="bob"), 9, an_approval()))
    other = event_of("requested", Actor(name="?1"), 9, an_approval(definition_hash="f" * 64))
    assert not asked_before(record("a", "?"), other)
