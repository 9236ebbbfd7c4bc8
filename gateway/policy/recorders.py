"""Several recorders of questions as one."""

from __future__ import annotations

from gateway.policy.engine import Evaluation
from gateway.policy.policy import Recorder


class Recorders:
    """Each hears of every question, in their order."""

    def __init__(self, *recorders: Recorder) -> None:
        self._recorders = recorders

    def record(self, document: bytes, evaluation: Evaluation) -> None:
        """See :class:`gateway.policy.policy.Recorder`."""
        for recorder in self._recorders:
            recorder.record(document, evaluation)


def together(*recorders: Recorder | None) -> Recorder | None:
    """Those that there are; None if there is none, so that a call pays for what is used."""
    there = [one for one in recorders if one is not None]
    if len(there) > 1:
        return Recorders(*there)
    return there[0] if there else None
