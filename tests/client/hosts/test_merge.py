"""An entry into somebody else's file: everything else stays what it was."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.errors import HostFileError
from gateway.client.hosts.entries import Host, Wanted, entry
from gateway.client.hosts.merge import merged

WANTED = Wanted(name="paypal", url="https://gateway.example/mcp", command="/bin/countersign")
JSON = entry(Host.CURSOR, WANTED, Path("mcp.json"))
TOML = entry(Host.CODEX, WANTED, Path("config.toml"))
VALUE = {"url": "https://gateway.example/mcp"}


def test_other_members_stay_byte_for_byte() -> None:
    """Numbers keep their spelling, nested objects their lines; only the entry is new."""
    before = (
        '{\n  "theme": 1.50,\n  "mcpServers": {\n    "other": {\n      "command": "x"\n    }\n  },\n'
        '  "z": [1,\n 2]\n}\n'
    )
    assert merged(before, JSON) == (
        '{\n  "theme": 1.50,\n  "mcpServers": {\n    "other": {\n      "command": "x"\n    },\n'
        '    "paypal": {\n      "url": "https://gateway.example/mcp"\n    }\n  },\n  "z": [1,\n 2]\n}\n'
    )


@pytest.mark.parametrize("before", ["", "  \n", "{}", '{"a":1}', '{"mcpServers": {}}', '\ufeff{"a":1}'])
def test_an_empty_or_small_file_gets_its_entry(before: str) -> None:
    """Whatever it has so far."""
    after = json.loads(merged(before, JSON).removeprefix("\ufeff"))
    assert after["mcpServers"] == {"paypal": VALUE}


def test_an_entry_of_the_same_name_is_replaced_and_then_nothing_changes() -> None:
    """Writing twice is writing once."""
    once = merged('{"mcpServers":{"paypal":{"command":"old"},"b":{}}}', JSON)
    assert json.loads(once) == {"mcpServers": {"paypal": VALUE, "b": {}}}
    assert merged(once, JSON) == once


@pytest.mark.parametrize(
    "before",
    [
        '{\n  // mine\n  "servers": {}\n}',
        '{"a": 1,}',
        '{"a": 1, "a": 2}',
        "[]",
        '{"mcpServers": []}',
        '{"mcpServers": null}',
        '{"a": NaN}',
        "{",
        "[" * 5_000,
    ],
)
def test_what_cannot_be_kept_is_refused(before: str) -> None:
    """Comments, duplicates, other shapes: the person is asked to paste."""
    with pytest.raises(HostFileError):
        merged(before, JSON)


def test_toml_keeps_comments_order_and_other_tables() -> None:
    """Codex's file belongs to a person who comments it."""
    before = '# mine\nmodel = "x"  # why\n\n[mcp_servers.other]\ncommand = "y"\n\n[profiles.a]\nb = 1\n'
    after = merged(before, TOML)
    assert "# mine" in after
    assert "# why" in after
    was = tomllib.loads(before)
    was["mcp_servers"]["paypal"] = VALUE
    assert tomllib.loads(after) == was


@pytest.mark.parametrize("before", ["", 'model = "x"\n', "[mcp_servers.paypal]\ncommand = 'old'\n"])
def test_toml_gets_its_entry(before: str) -> None:
    """Also in an empty file, and in place of an old one."""
    assert tomllib.loads(merged(before, TOML))["mcp_servers"]["paypal"] == VALUE


@pytest.mark.parametrize("before", ["= 1", "mcp_servers = 1", "a = 1\na = 2"])
def test_toml_that_cannot_be_kept_is_refused(before: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(HostFileError):
        merged(before, TOML)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
            ),
            max_leaves=8,
        ),
        max_size=5,
    ),
    st.sampled_from([None, 2, "\t"]),
)
def test_any_file_survives(document: dict[str, object], indent: int | str | None) -> None:
    """Whatever JSON a host has written: the same, plus the entry; or a refusal."""
    before = json.dumps(document, indent=indent)
    try:
        after = json.loads(merged(before, JSON))
    except HostFileError:
        assert not isinstance(document.get("mcpServers", {}), dict)
        return
    after["mcpServers"].pop("paypal")
    assert after == {**document, "mcpServers": document.get("mcpServers", {})}
