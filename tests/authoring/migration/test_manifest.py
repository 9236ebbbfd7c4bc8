"""The manifest beside a server: read strictly, written whole, and nothing beside it but its own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.authoring.declaration import Mode
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.migration.manifest import (
    Manifest,
    ProviderPart,
    ToolPart,
    etdi_from_manifest,
    load_manifest,
    save_manifest,
)
from gateway.authoring.providers.registry import create_provider
from tests.authoring.providers.test_config import GOOD

MANIFEST = Manifest(
    provider=ProviderPart(id="files-inc", name="Files Inc."),
    mode=Mode.ETDI_ONLY,
    skip_legacy_tools=("old",),
    tools={"read": ToolPart(id="r", permissions=("a:b",))},
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Under the sources' names."""
    path = tmp_path / "etdi.json"
    save_manifest(path, MANIFEST)
    assert load_manifest(path) == MANIFEST
    document = json.loads(path.read_bytes())
    assert document["skipLegacyTools"] == ["old"]
    assert document["mode"] == "etdi-only"
    options = MANIFEST.options()
    assert (options.mode, options.skip, options.auto_secure) == (Mode.ETDI_ONLY, frozenset({"old"}), False)
    assert [one.name for one in tmp_path.iterdir()] == ["etdi.json"]


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"more": 1},
        {"mode": "off"},
        {"provider": {"id": "x"}},
        {"tools": {"read": {"id": "r", "permissions": ["a b"]}}},
        {"tools": {"read": {"id": "r", "firstVersion": "1"}}},
        {"tools": {"read": {"permissions": []}}},
    ],
)
def test_what_is_no_manifest_is_refused(changed: dict[str, Any], tmp_path: Path) -> None:
    """By the file's name and the place in it."""
    path = tmp_path / "etdi.json"
    save_manifest(path, MANIFEST)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changed}))
    with pytest.raises(ConfigInvalid, match=r"etdi\.json"):
        load_manifest(path)


@pytest.mark.parametrize("content", [b"", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    """And a file that is not there."""
    path = tmp_path / "etdi.json"
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_manifest(path)
    path.write_bytes(content)
    with pytest.raises(ConfigInvalid):
        load_manifest(path)


@pytest.mark.parametrize("member", ["key", "history"])
@pytest.mark.parametrize("name", ["../other.pem", "/etc/passwd", "sub/key.pem", "."])
def test_it_names_nothing_outside_its_folder(member: str, name: str, tmp_path: Path) -> None:
    """Attack: a manifest from somebody else signs with another program's key, or writes over its files."""
    path = tmp_path / "etdi.json"
    save_manifest(path, MANIFEST)
    path.write_text(json.dumps({**json.loads(path.read_bytes()), member: name}))
    with pytest.raises(ConfigInvalid):
        etdi_from_manifest(path, create_provider("auth0", GOOD["auth0"]))
