"""What an author may say of a tool, and the block that comes of it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authoring.declaration import Author, block, declare, has_block, twin_of, with_block
from gateway.authoring.errors import ConfigInvalid
from gateway.catalog.definition import read_definition
from gateway.catalog.tool import ETDI_META_KEY

TOOL: dict[str, Any] = {"name": "read", "inputSchema": {"type": "object"}, "_meta": {"example.com/x": 1}}
AUTHOR = Author(id="files-inc", name="Files Inc.")


def test_permissions_are_a_set() -> None:
    """In one order, each once."""
    assert declare(["b:c", "a:b", "b:c"]).permissions == ("a:b", "b:c")


@pytest.mark.parametrize(
    ("permissions", "tool_id", "version"),
    [
        (["a b"], None, "1.0.0"),
        ([""], None, "1.0.0"),
        ([f"a:{number}" for number in range(257)], None, "1.0.0"),
        ([], "", "1.0.0"),
        ([], "re\u200bad", "1.0.0"),
        ([], "x" * 257, "1.0.0"),
        ([], None, "1.0"),
    ],
)
def test_what_cannot_be_said(permissions: list[str], tool_id: str | None, version: str) -> None:
    """Two scopes in one, invisible letters, no version."""
    with pytest.raises(ConfigInvalid):
        declare(permissions, tool_id=tool_id, version=version)


@pytest.mark.parametrize("name", ["", "a\u202eb", "x" * 257, "a\nb"])
def test_an_author_has_a_readable_name(name: str) -> None:
    """Attack: two providers that look like one."""
    for members in ({"id": name, "name": "n"}, {"id": "i", "name": name}):
        with pytest.raises(ConfigInvalid):
            Author(**members)


def test_the_gateway_reads_the_block_as_it_was_meant() -> None:
    """And a token in it changes no hash, while everything else does."""
    made = block(AUTHOR, declare(["a:b"]), tool_id="r", version="1.2.3", oauth_provider="idp", signer=None)
    read = read_definition(with_block(TOOL, made))
    assert (read.version, read.provider, read.permissions) == ("1.2.3", "files-inc", ("a:b",))
    assert read.wire["_meta"]["example.com/x"] == 1
    with_token = {**made, "oauth": {**made["oauth"], "token": "abc"}}
    assert read_definition(with_block(TOOL, with_token)).definition_hash == read.definition_hash
    changes: list[dict[str, Any]] = [
        {"version": "1.2.4"},
        {"permissions": []},
        {"id": "s"},
        {"oauth": {"provider": "other"}},
    ]
    for change in changes:
        assert read_definition(with_block(TOOL, {**made, **change})).definition_hash != read.definition_hash
    assert ETDI_META_KEY not in TOOL["_meta"], "the original stays as it was"


def test_a_twin_has_its_own_name_and_no_mark_in_it() -> None:
    """R161, C47."""
    assert twin_of(TOOL)["name"] == "read-secure"
    assert twin_of(TOOL)["title"] == "read (Secure)"
    assert twin_of({**TOOL, "title": "Read"})["title"] == "Read (Secure)"


@pytest.mark.parametrize("meta", [None, {}, {ETDI_META_KEY: None}, "text"])
def test_a_tool_without_a_block(meta: object) -> None:
    """Has none."""
    assert not has_block({"name": "x", "_meta": meta})
    assert has_block({"name": "x", "_meta": {ETDI_META_KEY: {}}})
