"""The decision log and the shadow hear of the same questions; a gateway without either pays for neither."""

from contextlib import AsyncExitStack
from pathlib import Path

from gateway.decisions.log import DecisionLog, files_of
from gateway.policy.recorders import Recorders
from gateway.settings import Settings
from gateway.settings.model import DecisionSettings
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.recording import open_recording
from gateway.shadow.report import read_report
from gateway.shadow.shadow import Shadow
from tests.shadow.conftest import asked, said
from tests.support.policy_copies import copied


async def test_each_alone_both_and_neither(tmp_path: Path) -> None:
    """What is not set is not there."""
    log = DecisionSettings(path=str(tmp_path / "decisions.jsonl"))
    shadow = ShadowSettings(path=str(copied(tmp_path)), report=str(tmp_path / "shadow.json"), timeout_s=20)
    async with AsyncExitStack() as stack:
        kinds = [
            type((await open_recording(settings, stack, now=lambda: 1e9)).recorder)
            for settings in (
                Settings(),
                Settings(decisions=log),
                Settings(shadow=shadow),
                Settings(decisions=log, shadow=shadow),
            )
        ]
    assert kinds == [type(None), DecisionLog, Shadow, Recorders]


async def test_both_hear_of_a_question(tmp_path: Path) -> None:
    """Once each."""
    settings = Settings(
        decisions=DecisionSettings(path=str(tmp_path / "decisions.jsonl")),
        shadow=ShadowSettings(opa_url=f"unix://{tmp_path}/none.sock", report=str(tmp_path / "shadow.json")),
    )
    async with AsyncExitStack() as stack:
        recorder = (await open_recording(settings, stack, now=lambda: 1e9)).recorder
        assert recorder is not None
        recorder.record(asked(), said("allow"))
    assert read_report(tmp_path / "shadow.json").rows[0].diverged == {"no answer": 1}
    (file,) = files_of(tmp_path / "decisions.jsonl")
    assert file.read_bytes().count(b"\n") == 1
