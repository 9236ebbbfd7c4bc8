"""One definition becomes a version, a signed block and the claims of its token."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway.authoring.declaration import Declaration, declare, with_block
from gateway.authoring.history import VersionHistory
from gateway.authoring.securing import Securing
from gateway.authoring.signing import verifies
from gateway.authoring.versions import shape_of
from gateway.catalog.definition import read_definition
from tests.authoring.secured import AUTHOR, signer

TOOL: dict[str, Any] = {"name": "read", "description": "Reads.", "inputSchema": {"type": "object"}}
CHANGED = {**TOOL, "description": "Reads, and tells."}
DECLARED = declare(["a:b"])


@pytest.fixture
def securing(tmp_path: Path) -> Securing:
    """Over a fresh history, with a key."""
    history = VersionHistory(tmp_path / "versions.json")
    return Securing(author=AUTHOR, oauth_provider="idp", history=history, signer=signer(tmp_path))


def prepared(
    securing: Securing, tool: dict[str, Any], declared: Declaration = DECLARED, *, newest: bool = True
) -> Any:
    """Of the tool ``read``."""
    return securing.prepare(tool, declared, tool_id="read", newest=newest)


def test_signed_before_the_token(securing: Securing, tmp_path: Path) -> None:
    """C24: with or without a token the signature and the hash are good."""
    made = prepared(securing, TOOL)
    key = signer(tmp_path)._key.public_key()
    for token in ({}, {"token": "one"}, {"token": "two"}):
        wire = with_block(TOOL, {**made.block, "oauth": {**made.block["oauth"], **token}})
        assert verifies(wire, key)
        assert read_definition(wire).definition_hash == made.claims.definition_hash
    assert "token" not in made.block["oauth"]


def test_the_same_definition_is_made_once(securing: Securing) -> None:
    """ECDSA makes another signature each time; a listing must not change for nothing."""
    assert prepared(securing, TOOL) is prepared(securing, dict(TOOL))


def test_there_and_back_again_is_twice_another_version(securing: Securing) -> None:
    """What was made before is not used again once something else was current: no version ever falls."""
    versions = [prepared(securing, tool).claims.tool_version for tool in (TOOL, CHANGED, TOOL, TOOL)]
    assert versions == ["1.0.0", "1.0.1", "1.0.2", "1.0.2"]


def test_other_permissions_are_another_version(securing: Securing) -> None:
    """Though the definition is the same."""
    prepared(securing, TOOL)
    assert prepared(securing, TOOL, declare(["a:c"])).claims.tool_version == "2.0.0"


def test_an_older_form_follows_the_newest(securing: Securing) -> None:
    """It makes no version, and has the current one."""
    older = {"name": "read", "inputSchema": {"type": "object"}}
    assert prepared(securing, older, newest=False).claims.tool_version == "1.0.0"
    prepared(securing, TOOL)
    prepared(securing, CHANGED)
    found = prepared(securing, older, newest=False)
    assert found.claims.tool_version == found.block["version"] == "1.0.1"


def test_two_processes_do_not_fall_behind(securing: Securing, tmp_path: Path) -> None:
    """What another part wrote into the same history is seen: only what is current is used again."""
    prepared(securing, TOOL)
    securing._history.version("read", first_shape(CHANGED), first="1.0.0")
    assert prepared(securing, TOOL).claims.tool_version == "1.0.2"


def first_shape(tool: dict[str, Any]) -> Any:
    """What decides its version."""
    return shape_of(read_definition(tool), DECLARED.permissions)
