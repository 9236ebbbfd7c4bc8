"""A bundle says what its folder says, and its revision changes with every byte of it."""

from pathlib import Path

import msgspec
import pytest

from gateway.bundle.archive import MANIFEST, packed
from gateway.bundle.building import build
from gateway.places import policies_folder
from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import read_policy
from tests.support.bundles import small_bundle
from tests.support.opa_program import Opa
from tests.support.policies import write_policy


def test_the_same_folder_is_the_same_bundle(tmp_path: Path) -> None:
    """In another place, written at another time, beside files that are no policy."""
    one, two = tmp_path / "one", tmp_path / "two"
    write_policy(one)
    write_policy(two, {"gateway/decision/decision_test.rego": "package x", "gateway/notes.txt": "a"})
    assert packed(build(one / "gateway", name="a", sequence=1).files) == packed(
        build(two / "gateway", name="a", sequence=1).files
    )


def test_the_manifest_says_what_it_is(tmp_path: Path) -> None:
    """Revision, roots and a sequence, for OPA, for people and for gateways."""
    built = small_bundle(tmp_path, sequence=7, name="a-name")
    manifest = msgspec.json.decode(built.files[MANIFEST])
    assert manifest["revision"] == built.revision
    assert built.revision.startswith("a-name+7.")
    assert manifest["roots"] == ["gateway"]
    assert manifest["metadata"]["sequence"] == 7
    assert manifest["metadata"]["digest"].startswith(built.revision.rsplit(".", 1)[1])
    assert (
        "sequence"
        not in msgspec.json.decode(small_bundle(tmp_path, sequence=None).files[MANIFEST])["metadata"]
    )


def test_any_edit_is_another_revision(tmp_path: Path) -> None:
    """A rule, or a number."""
    edits: list[dict[str, str | None] | None] = [
        None,
        {"gateway/tools/data.yaml": "outcomes: {list_invoices: allow}"},
        {"gateway/admin/admin.rego": 'package gateway.admin\n\nanswer := {"outcome": "deny"}\n'},
    ]
    revisions = {
        small_bundle(tmp_path / str(number), changes=changes).revision for number, changes in enumerate(edits)
    }
    assert len(revisions) == 3


def test_data_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """An integer that readers of JSON do not keep whole."""
    with pytest.raises(PolicyRefused, match="the policy's data"):
        small_bundle(tmp_path, changes={"gateway/tools/data.yaml": "number: 9007199254740993"})


def test_opa_reads_the_same_data(tmp_path: Path, opa: Opa) -> None:
    """The whole tree that OPA holds is the tree that the embedded engine holds."""
    path = tmp_path / "bundle.tar.gz"
    path.write_bytes(packed(build(policies_folder(), name="default", sequence=1).files))
    data = read_policy(policies_folder()).data["gateway"]
    for room in ("limits", "classes", "reasons"):
        held = opa.output("eval", "--bundle", path, "--format", "json", f"data.gateway.{room}")
        found = held["result"][0]["expressions"][0]["value"]
        assert {key: found[key] for key in data[room]} == data[room]
