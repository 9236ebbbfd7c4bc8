"""What a manifest must say before anybody looks further."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gateway.bundle.archive import MANIFEST, packed
from gateway.bundle.building import Built
from gateway.bundle.manifest import read_manifest, summary
from gateway.bundle.signature import signed
from gateway.policy.engine import PolicyRefused
from tests.support.bundles import Pair


def changed(built: Built, **members: Any) -> dict[str, bytes]:
    """With another manifest."""
    manifest = {**msgspec.json.decode(built.files[MANIFEST]), **members}
    return {**built.files, MANIFEST: msgspec.json.encode(manifest)}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"roots": [""]}, "roots"),
        ({"roots": ["gateway", "system"]}, "roots"),
        ({"roots": None}, "roots"),
        ({"roots": "gateway"}, "manifest"),
        ({"revision": ""}, "no revision"),
        ({"revision": 1}, "manifest"),
        ({"metadata": {"digest": "0" * 64}}, "digest"),
    ],
)
def test_a_manifest_that_says_too_much_or_too_little(
    built: Built, members: dict[str, Any], said: str
) -> None:
    """A bundle that owns all of ``data`` would replace what else OPA holds."""
    with pytest.raises(PolicyRefused, match=said):
        read_manifest(changed(built, **members))


def test_no_manifest_and_other_files(built: Built) -> None:
    """The digest binds the revision to the content, also without a signature."""
    with pytest.raises(PolicyRefused, match="has none"):
        read_manifest({"data.json": b"{}"})
    with pytest.raises(PolicyRefused, match="digest"):
        read_manifest({**built.files, "data.json": b"{}"})


def test_a_summary_shows_all_of_it(built: Built, pair: Pair) -> None:
    """For people, and for scripts."""
    archive = packed(built.files)
    found = summary(archive, built.files)
    assert (found.revision, found.sequence, found.name, found.signature) == (built.revision, 1, "small", None)
    assert found.files == {name: len(content) for name, content in sorted(built.files.items())}
    whole = signed(built.files, pair.private, scope="here")
    claimed = summary(packed(whole), whole).signature
    assert claimed is not None
    assert claimed.scope == "here"
