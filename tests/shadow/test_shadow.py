"""The candidate is asked behind the call's back, one question at a time; nothing of it comes back."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.policy.engine import Entrypoint
from gateway.shadow.report import Report, read_report
from gateway.shadow.shadow import MAX_WAITING, MAX_WAITING_BYTES, Shadow
from tests.shadow.conftest import TIMEOUT, Scripted, asked, said, tally

LIVE = said("deny")
CANDIDATE = said("allow", revision="candidate-1")
LONG_S = 30.0


class Made:
    """Shadows that end with the test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "shadow.json"
        self.shadows: list[Shadow] = []
        self.candidates: list[Scripted] = []

    def __call__(self, candidate: Scripted, *, hold_after: int = 1_000, **how: Any) -> Shadow:
        shadow = Shadow(candidate, tally(hold_above=0.0, hold_after=hold_after), self.path, **how)
        self.shadows.append(shadow)
        self.candidates.append(candidate)
        return shadow

    @property
    def report(self) -> Report:
        """The file."""
        return read_report(self.path)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    """Closed, and with them their candidates."""
    factory = Made(tmp_path)
    yield factory
    for candidate in factory.candidates:
        candidate.let_go.set()
    for shadow in factory.shadows:
        await shadow.aclose()


async def test_the_same_question_is_put_to_the_candidate(made: Made) -> None:
    """The bytes that the live policy was asked, and the divergence is in the report."""
    candidate = Scripted(CANDIDATE)
    shadow = made(candidate)
    shadow.record(asked(), LIVE)
    await shadow.aclose()
    assert candidate.asked == [(Entrypoint.DECISION, asked())]
    assert candidate.closed
    assert (made.report.asked, made.report.diverged, made.report.candidate) == (1, 1, "candidate-1")
    shadow.record(asked(), LIVE)
    assert shadow.lost == 1


async def test_questions_are_left_out_while_the_candidate_hangs(made: Made) -> None:
    """Recording returns although nobody answers; what found no room is counted. Memory is bounded twice."""
    candidate = Scripted(CANDIDATE, waits=True)
    shadow = made(candidate)
    shadow.record(asked(), LIVE)
    assert candidate.began.wait(LONG_S)
    for _ in range(MAX_WAITING + 10):
        shadow.record(asked(), LIVE)
    assert shadow.lost == 11
    assert not shadow.caught_up(0)
    candidate.let_go.set()
    assert shadow.caught_up(LONG_S)
    await shadow.aclose()
    assert (made.report.asked, made.report.lost) == (MAX_WAITING, 11)


async def test_large_questions_do_not_fill_the_memory(made: Made) -> None:
    """Attack: half a megabyte a question, a thousand times."""
    candidate = Scripted(CANDIDATE, waits=True)
    shadow = made(candidate)
    large = asked(note="x" * (512 * 1024))
    for _ in range(MAX_WAITING):
        shadow.record(large, LIVE)
    assert MAX_WAITING - shadow.lost == MAX_WAITING_BYTES // len(large)
    candidate.let_go.set()
    assert shadow.caught_up(LONG_S)


async def test_only_a_sample_is_put_to_it(made: Made) -> None:
    """By chance, so that no phase of a call is always left out."""
    draws = iter([0.9, 0.1, 0.25, 0.24])
    candidate = Scripted(CANDIDATE)
    shadow = made(candidate, sample=4, drawn=lambda: next(draws))
    for number in range(4):
        shadow.record(asked(number=number), LIVE)
    assert shadow.caught_up(LONG_S)
    assert [document for _, document in candidate.asked] == [asked(number=1), asked(number=3)]
    assert shadow.lost == 0


async def test_no_answer_is_counted_and_holds(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """A candidate that hangs would deny every call."""
    with caplog.at_level(logging.WARNING, "countersign.shadow"):
        shadow = made(Scripted(TIMEOUT), hold_after=2, revision="candidate-1")
        for _ in range(2):
            shadow.record(asked(), said("allow"))
        assert shadow.caught_up(LONG_S)
        assert shadow.held
        await shadow.aclose()
    (row,) = made.report.rows
    assert (made.report.state, row.diverged) == ("held", {"no answer": 2})
    assert (
        "candidate HELD: revision candidate-1 answered 2 of the last 2 questions differently" in caplog.text
    )


async def test_whatever_a_candidate_raises_the_shadow_goes_on(
    made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """An engine that is broken in a way nobody thought of."""
    candidate = Scripted(RuntimeError("broken"))
    shadow = made(candidate, revision="candidate-1")
    for _ in range(2):
        shadow.record(asked(), LIVE)
    assert shadow.caught_up(LONG_S)
    candidate.answer = CANDIDATE
    shadow.record(asked(), LIVE)
    assert shadow.caught_up(LONG_S)
    await shadow.aclose()
    assert caplog.text.count("the candidate failed") == 1
    assert made.report.asked == 3


async def test_a_report_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk, or a folder where the file should be."""
    folder = tmp_path / "shadow.json"
    folder.mkdir()
    (folder / "there").touch()
    shadow = Shadow(Scripted(CANDIDATE), tally(), folder)
    shadow.record(asked(), LIVE)
    assert shadow.caught_up(LONG_S)
    await shadow.aclose()
    assert "report cannot be written" in caplog.text
