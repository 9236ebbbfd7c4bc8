"""Several recorders as one."""

from gateway.policy.engine import Evaluation
from gateway.policy.recorders import together

ANSWER = Evaluation(result=None, revision="r", engine="opa")


class Listening:
    """Remembers."""

    def __init__(self) -> None:
        self.heard: list[tuple[bytes, Evaluation]] = []

    def record(self, document: bytes, evaluation: Evaluation) -> None:
        """See :class:`gateway.policy.policy.Recorder`."""
        self.heard.append((document, evaluation))


def test_each_hears_once() -> None:
    """Of the question and of its answer."""
    one, other = Listening(), Listening()
    recorder = together(one, None, other)
    assert recorder is not None
    recorder.record(b"{}", ANSWER)
    assert one.heard == other.heard == [(b"{}", ANSWER)]


def test_one_is_itself_and_none_is_none() -> None:
    """No call pays for a loop over nothing."""
    one = Listening()
    assert together(None, one) is one
    assert together(None, None) is None
