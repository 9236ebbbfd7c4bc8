"""Definitions are read for what they say once each, and within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.catalog.contents import MAX_DEFINITION_BYTES, MAX_NEW_BYTES, UNREAD, Contents
from gateway.catalog.tool import Content

FOUND = Content(severity="LOW", codes=("X",))


class Reader:
    """Counts what it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, wire: Mapping[str, Any]) -> Content:
        self.read.append(wire["name"])
        return FOUND


async def listing(contents: Contents, *wires: dict[str, Any]) -> Contents:
    """Read these definitions."""
    for wire in wires:
        await contents.read(msgspec.json.encode(wire), wire["name"], wire)
    return contents


async def test_each_definition_is_read_once() -> None:
    """In the next listing it is known; a changed one is read anew, and one that went is forgotten."""
    reader = Reader()
    first = await listing(Contents(reader), {"name": "a"}, {"name": "b"})
    second = await listing(first.reading(reader), {"name": "a"}, {"name": "b", "description": "new"})
    assert reader.read == ["a", "b", "b"]
    assert (second.of("a"), second.of("b")) == (FOUND, FOUND)
    await listing(second.reading(reader).reading(reader), {"name": "a"})
    assert reader.read == ["a", "b", "b", "a"]


async def test_what_is_too_large_is_not_read_and_counts_as_the_worst() -> None:
    """Attack: poison in a definition that takes seconds to read."""
    reader = Reader()
    contents = await listing(Contents(reader), {"name": "a", "description": "x" * MAX_DEFINITION_BYTES})
    assert (reader.read, contents.of("a")) == ([], UNREAD)


async def test_a_listing_is_read_within_bounds_and_the_rest_with_the_next_one() -> None:
    """Attack: a thousand new definitions with each listing, so that the gateway does nothing else."""
    reader = Reader()
    size = MAX_DEFINITION_BYTES - 100
    wires = [{"name": f"t{index}", "description": "x" * size} for index in range(20)]
    first = await listing(Contents(reader), *wires)
    assert len(reader.read) <= MAX_NEW_BYTES / size
    assert first.of("t19") == UNREAD
    second = await listing(first.reading(reader), *wires)
    assert second.of("t19") == FOUND


async def test_without_a_reader_nothing_is_said() -> None:
    """A catalog that nobody gave one."""
    contents = await listing(Contents(), {"name": "a"})
    assert contents.of("a") == Content()
