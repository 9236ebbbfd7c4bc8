"""The file of the release says what the release ships."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.catalog.pins import PINS_FILE, encode_pins, make_pins, read_pins
from gateway.catalog.tool import Approval
from gateway.upstream.paypal.definitions import TOOLS
from tests.support.walking import a_definition

RELEASED = msgspec.json.decode(PINS_FILE.read_bytes())["released"]


def test_the_file_is_what_the_definitions_make() -> None:
    """A changed definition fails here until `python -m gateway.cli.pins` has been run and its diff was read."""
    made = make_pins("paypal", [tool.wire for tool in TOOLS.values()], released=RELEASED)
    assert PINS_FILE.read_bytes() == encode_pins(made)


def test_every_tool_is_pinned_with_all_it_asks_for() -> None:
    """By name of server and tool; none is revoked, none ends."""
    pins = read_pins()
    assert set(pins) == {("paypal", name) for name in TOOLS}
    for pin in pins.values():
        assert pin.approved == pin.requested
        assert pin.by == "release"
        assert (pin.revoked, pin.expires, pin.at) == (False, None, RELEASED)


def test_pins_are_sorted_and_survive_the_file(tmp_path: Path) -> None:
    """The same definitions in another order are the same bytes."""
    wires = [a_definition(name) for name in ("c", "a", "b")]
    path = tmp_path / "pins.json"
    path.write_bytes(encode_pins(make_pins("bank", wires, released=1)))
    assert [tool for _, tool in read_pins(path)] == ["a", "b", "c"]
    assert path.read_bytes() == encode_pins(make_pins("bank", reversed(wires), released=1))


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}",
        b'{"server":"a","released":1,"tools":{"x":{}}}',
        b'{"server":"a","released":1,"tools":{},"x":1}',
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    """The gateway does not start with half of its pins."""
    path = tmp_path / "pins.json"
    path.write_bytes(damage)
    with pytest.raises((msgspec.ValidationError, msgspec.DecodeError)):
        read_pins(path)


def test_a_tool_that_cannot_be_read_pins_nothing() -> None:
    """Nor does it leave the others in a file that looks whole."""
    bad: list[dict[str, Any]] = [a_definition("a"), {"name": "b"}]
    with pytest.raises(ValueError, match="no input schema"):
        make_pins("bank", bad, released=1)
    assert Approval.__struct_config__.frozen
