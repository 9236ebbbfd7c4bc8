"""A folder is read as OPA reads a bundle, and any edit changes the revision."""

from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import policy_files, read_policy
from tests.support.policies import write_policy


def test_modules_and_data(tmp_path: Path) -> None:
    """Modules by path, data at the path of its directory; tests, schemas and hidden files are left out."""
    folder = write_policy(
        tmp_path,
        {
            "gateway/decision/decision_test.rego": "package x",
            "gateway/.cache/x.rego": "package x",
            "gateway/tools/deep/data.json": '{"a": 1}',
            "gateway/tools/other.yaml": "a: 1",
            "schemas/data.json": '{"a": 1}',
            "checks/checks.rego": "package checks",
        },
    )
    source = read_policy(folder)
    assert sorted(source.modules) == [
        "gateway/admin/admin.rego",
        "gateway/decision/decision.rego",
        "gateway/listing/listing.rego",
        "gateway/passage/passage.rego",
    ]
    assert source.data == {
        "gateway": {
            "tools": {"outcomes": {"list_invoices": "allow", "create_refund": "handshake"}, "deep": {"a": 1}}
        }
    }


def test_the_revision_is_the_content(tmp_path: Path) -> None:
    """The same content has the same revision wherever it lies; an edit, a move and a new file change it."""
    first = read_policy(write_policy(tmp_path / "a")).revision
    assert read_policy(write_policy(tmp_path / "b")).revision == first
    edits: list[dict[str, str | None]] = [
        {"gateway/tools/data.yaml": "outcomes: {}"},
        {"gateway/more.rego": "package gateway"},
        {"gateway/tools/data.yaml": None, "gateway/tool/data.yaml": "outcomes: {}"},
    ]
    revisions = {read_policy(write_policy(tmp_path / f"c{n}", edit)).revision for n, edit in enumerate(edits)}
    assert len(revisions | {first}) == 4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"gateway/tools/data.json": '{"outcomes": {}}'}, "already says `outcomes`"),
        ({"gateway/data.json": '{"tools": 1}'}, "already says `tools`"),
        ({"gateway/tools/data.yaml": "a: NO"}, "gateway/tools/data.yaml: line 1: quote `NO`"),
        ({"gateway/x.rego": "package x\n# \0"}, "gateway/x.rego: holds a NUL"),
    ],
)
def test_refusals_name_the_file(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    """A conflict, a value readers disagree about and a NUL are refused with the file's name."""
    with pytest.raises(PolicyRefused, match=message):
        read_policy(write_policy(tmp_path, changes))


def test_no_policy_is_refused(tmp_path: Path) -> None:
    """An empty or a wrong folder is not a policy that allows nothing: it is a mistake."""
    with pytest.raises(PolicyRefused, match=f"{tmp_path}: 0 policy files"):
        policy_files(tmp_path)


def test_not_utf8(tmp_path: Path) -> None:
    """A file that is not UTF-8 is refused."""
    folder = write_policy(tmp_path)
    (folder / "x.rego").write_bytes(b"package x # \xff")
    with pytest.raises(PolicyRefused, match=r"gateway/x\.rego"):
        read_policy(folder)
