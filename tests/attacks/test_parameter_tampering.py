"""Parameter tampering: anything about the arguments changes between the phases. The token is burnt, nothing is sent."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import INVOICE, ORDER, confirmed, first_phase, refund, until_confirmation
from tests.support.console import Person
from tests.support.house import House
from tests.support.traces import Trace

CALLS: dict[str, dict[str, Any]] = {
    "create_refund": refund("2.00", note_to_payer="Sorry", invoice_id="INV-1"),
    "create_invoice": INVOICE,
    "create_order": ORDER,
}
Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every leaf."""
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))
    else:
        yield path


def holder(arguments: Any, path: Path) -> Any:
    """What holds the leaf."""
    for step in path[:-1]:
        arguments = arguments[step]
    return arguments


def tampered(arguments: dict[str, Any], path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Variants of the arguments that differ in one place: value, type, presence, company."""
    leaf = holder(arguments, path)[path[-1]]
    other = leaf + 1 if isinstance(leaf, int) else f"{leaf}0" if leaf[-1:].isdigit() else f"{leaf}x"
    retyped = str(leaf) if isinstance(leaf, int) else [leaf]
    for name, value in (("another value", other), ("another type", retyped), ("null", None), ("upper", leaf)):
        changed = copy.deepcopy(arguments)
        if name == "upper":
            if not isinstance(leaf, str) or leaf.swapcase() == leaf:
                continue
            value = leaf.swapcase()
        holder(changed, path)[path[-1]] = value
        yield name, changed
    removed = copy.deepcopy(arguments)
    del holder(removed, path)[path[-1]]
    yield "removed", removed


def added(arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """One member more, in each object and each list."""
    prefixes = {leaf[: end + 1] for leaf in places(arguments) for end in range(len(leaf))}
    for path in sorted(prefixes, key=str):
        changed = copy.deepcopy(arguments)
        inside = holder(changed, path)
        if isinstance(inside, dict):
            inside["note"] = "one more"
        else:
            inside.append(copy.deepcopy(inside[0]))
        if changed != arguments:
            yield changed


@pytest.mark.parametrize(
    ("tool", "path"), [(tool, path) for tool, args in CALLS.items() for path in places(args)]
)
async def test_every_leaf(house: House, tool: str, path: Path) -> None:
    """Each leaf, with another value, type or case, null, or gone."""
    trace = Trace(house)
    for name, arguments in tampered(CALLS[tool], path):
        token = await first_phase(house, tool, CALLS[tool])
        answer = await house.call(tool, arguments, state=token)
        assert codes_of(answer) == ["handshake.mismatch"], name
        assert (trace.records[-1]["status"], trace.records[-1]["error"]) == ("refused", "handshake.mismatch")
    assert trace.paypal == []


@pytest.mark.parametrize("tool", CALLS)
async def test_every_addition(house: House, tool: str) -> None:
    """One member or element more, anywhere."""
    trace, tried = Trace(house), 0
    for arguments in added(CALLS[tool]):
        token = await first_phase(house, tool, CALLS[tool])
        assert codes_of(await house.call(tool, arguments, state=token)) == ["handshake.mismatch"]
        tried += 1
    assert tried >= 2
    assert trace.paypal == []


async def test_a_burnt_token_is_burnt_for_the_honest_call_as_well(house: House) -> None:
    """Nobody gets to try twice."""
    token = await first_phase(house, "create_refund", refund("2.10"))
    await house.call("create_refund", refund("2.11"), state=token)
    trace = Trace(house)
    assert codes_of(await house.call("create_refund", refund("2.10"), state=token)) == [
        "handshake.token_unknown"
    ]
    trace.refused_unseen("handshake.token_unknown")


async def test_after_the_approval(house: House, person: Person) -> None:
    """A person signed 2.20; with 220.00 the token is refused, and without it the call has nobody's signature."""
    token = await confirmed(house, person, "create_refund", refund("2.20"))
    trace = Trace(house)
    answer = await house.call("create_refund", refund("220.00"), state=token)
    assert codes_of(answer) == ["handshake.mismatch"]
    assert status_of(await house.call("create_refund", refund("220.00"))) == "handshake_required"
    assert (
        status_of(await house.call("create_refund", refund("220.00"), era="legacy")) == "handshake_required"
    )
    assert trace.paypal == []
    # What was signed can still be carried out, once, as it was signed.
    assert status_of(await house.call("create_refund", refund("2.20"))) == "executed"
    assert [call.body["amount"]["value"] for call in trace.writes] == ["2.20"]


async def test_in_an_era_without_tokens(house: House, person: Person) -> None:
    """The repeated call is found by its arguments: another amount finds nothing, before and after the approval."""
    await house.call("create_refund", refund("2.30"), era="legacy")
    trace = Trace(house)
    assert status_of(await house.call("create_refund", refund("2.31"), era="legacy")) == "handshake_required"
    waiting = await house.call("create_refund", refund("2.30"), era="legacy")
    await person.approve(approve_url_of(waiting))
    answer = await house.call("create_refund", refund("2.32"), era="legacy")
    assert status_of(answer) == "handshake_required"
    assert trace.paypal == []


async def test_look_alikes_are_other_arguments(house: House) -> None:
    """The same text to the eye, composed or decomposed, is another call."""
    token = await first_phase(house, "create_refund", refund("2.40", note_to_payer="caf\u00e9"))
    trace = Trace(house)
    answer = await house.call("create_refund", refund("2.40", note_to_payer="cafe\u0301"), state=token)
    assert codes_of(answer) == ["handshake.mismatch"]
    trace.refused_unseen("handshake.mismatch")


async def test_a_waiting_call_is_not_moved_to_another(house: House) -> None:
    """The token of one waiting call does not find another that waits as well."""
    small = await until_confirmation(house, "create_refund", refund("2.50"))
    await until_confirmation(house, "create_refund", refund("250.00"))
    trace = Trace(house)
    answer = await house.call("create_refund", refund("250.00"), state=token_of(small))
    assert codes_of(answer) == ["handshake.mismatch"]
    trace.refused_unseen("handshake.mismatch")
