"""Permissions as texts and as objects, and how two lists of them differ."""

from typing import Any

import msgspec

from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.permissions import permission_diff, permissions_of
from gateway.catalog.tool import ETDI_META_KEY
from tests.support.walking import a_definition


def asking(*listed: Any, names: tuple[str, ...] = ()) -> Definition:
    """A definition with this list in its block; ``names`` as the reader of definitions understood it."""
    plain = read_definition(a_definition("x"))
    wire = {**plain.wire, "_meta": {ETDI_META_KEY: {"permissions": list(listed)}}}
    texts = tuple(one for one in listed if isinstance(one, str))
    return msgspec.structs.replace(plain, wire=wire, permissions=names or texts)


def test_the_document_of_the_design() -> None:
    """LLD-B 13.2, word for word."""
    basic: dict[str, Any] = {"name": "calculator:basic", "description": "Basic operations"}
    now = {"name": "calculator:basic", "description": "Allows basic calculator operations"}
    scientific = {"name": "calculator:scientific", "description": "Allows scientific calculator functions"}
    found = permission_diff(
        asking(basic, names=("calculator:basic",)),
        asking(now, scientific, names=("calculator:basic", "calculator:scientific")),
    )
    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "added": [scientific],
        "removed": [],
        "changed": [
            {
                "name": "calculator:basic",
                "before": {"description": "Basic operations"},
                "after": {"description": "Allows basic calculator operations"},
            }
        ],
    }


def test_texts_are_names() -> None:
    """And an order is no difference."""
    found = permission_diff(asking("b", "a"), asking("a", "c", "b"))
    assert msgspec.json.decode(msgspec.json.encode(found)) == {
        "added": [{"name": "c"}],
        "removed": [],
        "changed": [],
    }
    assert permission_diff(asking("b", "a"), asking("a", "b", "b")) == permission_diff(asking(), asking())


def test_what_is_understood_and_not_said_is_there_too() -> None:
    """The names that count are those of the definition; a scope is the name of its object."""
    assert permissions_of(asking(names=("a",))) == {"a": {"name": "a"}}
    wide = {"name": "All files", "scope": "filesystem:*"}
    assert permissions_of(asking(wide, names=("filesystem:*",))) == {"All files": wide}
    assert permissions_of(asking({"name": 7}, [], None)) == {}
