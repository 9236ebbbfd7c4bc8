"""Two policies as texts."""

import shutil
from pathlib import Path

from gateway.workbench.difference import difference
from gateway.workbench.pack import read_pack
from tests.workbench.conftest import appended, edited


def test_what_came_went_and_changed_is_named(folder: Path, tmp_path: Path) -> None:
    """Data by place with both values, reasons by code, rules by title."""
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    assert difference(read_pack(folder), read_pack(other)) == []
    edited(other / "limits" / "data.yaml", "soft_quorum: 2", "soft_quorum: 3")
    edited(other / "migration" / "data.yaml", "classes: {}", 'classes: {"4": coexistence}')
    appended(other / "reasons" / "data.yaml", "  arguments.new: {outcome: deny, message: m, remedy: r}\n")
    appended(
        other / "arguments" / "arguments.rego",
        '\n# METADATA\n# title: New\n# description: d\ncodes contains "arguments.new" if input.arguments.x\n',
    )
    shutil.rmtree(other / "decisions")
    found = [
        (one.kind, one.what, one.where, one.before, one.after)
        for one in difference(read_pack(folder), read_pack(other))
    ]
    assert ("changed", "data", "limits/data.yaml /soft_quorum", "2", "3") in found
    assert ("added", "data", "migration/data.yaml /classes/4", "", '"coexistence"') in found
    assert ("changed", "rule", "gateway/arguments/arguments.rego (New)", "", "") in found
    assert [one[:3] for one in found if one[1] == "reason"] == [("added", "reason", "arguments.new")]
    assert [one[:3] for one in found if one[0] == "removed"] == [("removed", "data", "decisions/data.yaml ")]
    assert len(found) == 5
