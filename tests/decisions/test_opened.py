"""A gateway that is told to record does so for each question about a call, and for no other."""

from pathlib import Path

import msgspec

from gateway.decisions.entry import Recorded
from gateway.decisions.log import files_of
from gateway.settings.model import DecisionSettings
from tests.support.house import running_house


async def test_a_call_is_recorded_and_a_listing_is_not(tmp_path: Path) -> None:
    """The log is closed with the gateway: nothing that was asked is missing."""
    path = tmp_path / "decisions.jsonl"
    async with running_house(tmp_path, decisions=DecisionSettings(path=str(path))) as house:
        await house.rpc("tools/list")
        await house.call("list_products", {})
    (recorded,) = [
        msgspec.json.decode(line, type=Recorded)
        for file in files_of(path)
        for line in file.read_bytes().splitlines()
    ]
    assert recorded.question["tool"]["name"] == "list_products"
    assert recorded.answer is not None
    assert recorded.answer["outcome"] == "allow"
