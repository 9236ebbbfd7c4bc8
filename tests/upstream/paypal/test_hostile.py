"""Arguments that want to become something else. None of them reaches PayPal."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.request import UnsafePath, build_request
from tests.upstream.paypal.conversation import ARGUMENTS, Conversation, outcome

ATTACKS = (
    "../../../v2/payments/captures/3C679366HH908993F/refund?x=",
    "..",
    "PP-D-27803/accept-claim",
    "PP-D-27803?x=1",
    "PP-D-27803#x",
    "%2e%2e%2fPP-D-27803",
    "PP-D-27803%2Faccept-claim",
    "PP-D-27803\\..",
    "PP-D-27803\n",
    "PP-D-27803\r\nX-Evil: 1",
    "PP-D-27803\x00",
    "PP-D-27803&page_size=20",
    "PP-D-\uff12\uff17\uff18\uff10\uff13",
    "PP-D-\u0662\u0667\u0668\u0660\u0663",
    "PP-D-\u202e30872",
    " PP-D-27803",
    "",
    "A" * 300,
)


def _ids() -> list[tuple[str, str]]:
    """Every argument of every tool that is an id: its schema has a pattern and its name says so."""
    return [
        (name, argument)
        for name, tool in TOOLS.items()
        for argument, schema in tool.input_schema["properties"].items()
        if (argument == "id" or argument.endswith(("_id", "_number"))) and argument in _placed(name)
    ]


def _placed(tool: str) -> set[str]:
    operation = TOOLS[tool].operation
    in_path = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
    identifiers = {
        argument
        for argument, schema in TOOLS[tool].input_schema["properties"].items()
        if "[A-Z" in schema.get("pattern", "") and argument.endswith(("_id", "_number"))
    }
    return in_path | set(operation.query) | identifiers


def _objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every object in these arguments."""
    if isinstance(value, dict):
        yield path
        for key, member in value.items():
            yield from _objects(member, (*path, key))
    elif isinstance(value, list):
        for i, member in enumerate(value):
            yield from _objects(member, (*path, i))


EVERY_OBJECT = [(tool, place) for tool, arguments in ARGUMENTS.items() for place in _objects(arguments)]


def test_knows_every_id_that_becomes_part_of_a_path() -> None:
    """The list of attacked ids holds every placeholder of every path."""
    placed = {
        (name, part[1:-1]) for name, t in TOOLS.items() for part in t.operation.path.split("/") if "{" in part
    }
    assert placed <= set(_ids())
    assert len(_ids()) >= 25


@pytest.mark.parametrize(("tool", "argument"), _ids())
async def test_refuses_hostile_ids_before_anything_is_sent(
    paypal: Conversation, tool: str, argument: str
) -> None:
    """No spelling of a traversal, an injection or a foreign digit gets past any id of any tool."""
    for attack in ATTACKS:
        result = await paypal.call(tool, {**ARGUMENTS[tool], argument: attack})
        assert result["isError"] is True, attack
        assert outcome(result) == "refused"
        error = result["structuredContent"]["error"]
        assert error["name"] == "INVALID_ARGUMENTS"
        assert f"/{argument}" in {one["pointer"] for one in error["problems"]}
        assert "captures" not in result["content"][0]["text"]  # the value is not repeated
    assert paypal.simulator.calls == []


@pytest.mark.parametrize(("tool", "place"), EVERY_OBJECT)
async def test_refuses_unknown_members_at_every_depth(
    paypal: Conversation, tool: str, place: tuple[str | int, ...]
) -> None:
    """An unknown member in any object of any tool's arguments stops the call: nothing passes through."""
    arguments = copy.deepcopy(ARGUMENTS[tool])
    holder: Any = arguments
    for step in place:
        holder = holder[step]
    holder["unexpected"] = "9999.00"
    result = await paypal.call(tool, arguments)
    assert outcome(result) == "refused"
    assert result["structuredContent"]["error"]["problems"][0]["rule"] == "additionalProperties"
    assert paypal.simulator.calls == []


@pytest.mark.parametrize(
    ("tool", "changed"),
    [
        ("create_order", {"items": [{"name": "Tea", "itemCost": "5000.00", "itemTotal": "1.00"}]}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": 12.5}]}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "1e3"}]}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "-1.00"}]}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "1.005"}]}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "0"}], "shippingCost": "0", "discount": "0"}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "1"}], "discount": "5000.00"}),
        ("create_order", {"items": [{"name": "Tea", "itemCost": "999999999.99", "quantity": 10_000}]}),
        ("create_order", {"currencyCode": "JPY"}),
        ("create_refund", {"amount": {"currency_code": "USD", "value": "0.00"}}),
        ("create_refund", {"amount": {"currency_code": "JPY", "value": "1.00"}}),
        ("create_refund", {"amount": {"currency_code": "XXX", "value": "1.00"}}),
        ("create_refund", {"amount": {}}),
        ("create_refund", {"amount": None}),
        ("create_invoice", {"detail": {"currency_code": "EUR"}}),
        ("create_invoice", {"detail": {"currency_code": "USD", "invoice_date": "2026-02-31"}}),
        ("update_subscription", {"currency_code": "JPY"}),
        ("list_transactions", {"end_date": "2027-01-30T00:00:00Z"}),
        ("list_transactions", {"start_date": "2026-12-30T00:00:00Z"}),
        ("cancel_subscription", {"reason": "bell\x07"}),
        ("create_order", {"returnUrl": "https://shop.example@evil.example/"}),
        ("create_order", {"returnUrl": "javascript:alert(1)"}),
    ],
)
async def test_refuses_amounts_and_values_that_deceive(
    paypal: Conversation, tool: str, changed: dict[str, Any]
) -> None:
    """Decoy totals, floats, exponents, zero refunds, foreign decimals, false dates and hosts: nothing is sent."""
    result = await paypal.call(tool, {**ARGUMENTS[tool], **changed})
    assert outcome(result) == "refused"
    assert result["structuredContent"]["error"]["name"] == "INVALID_ARGUMENTS"
    assert paypal.simulator.calls == []


async def test_refuses_a_subscription_change_that_changes_nothing(paypal: Conversation) -> None:
    """Amounts need their currency, and an empty change is none."""
    subscription = {"subscription_id": ARGUMENTS["update_subscription"]["subscription_id"]}
    for arguments in (subscription, {**subscription, "shipping_amount": "1.00"}):
        assert outcome(await paypal.call("update_subscription", arguments)) == "refused"
    assert paypal.simulator.calls == []


@pytest.mark.parametrize("transaction", ["", "x" * 39, "a b", "é", "a\nb", 7, {"a": 1}])
async def test_refuses_a_transaction_id_that_is_no_header_value(
    paypal: Conversation, transaction: object
) -> None:
    """A transaction id that cannot be a PayPal-Request-Id stops the call."""
    result = await paypal.call("create_refund", ARGUMENTS["create_refund"], transaction)
    assert outcome(result) == "refused"
    assert paypal.simulator.calls == []


def test_checks_the_path_again_without_any_schema() -> None:
    """Where validation is not asked at all, the second lock still holds."""
    for tool, argument in _ids():
        if f"{{{argument}}}" not in TOOLS[tool].operation.path:
            continue
        for attack in ATTACKS:
            with pytest.raises(UnsafePath):
                build_request(TOOLS[tool], {**ARGUMENTS[tool], argument: attack}, "tx")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.sampled_from(_ids()),
    at=st.integers(0, 40),
    mutation=st.text(max_size=12)
    | st.sampled_from(("../", "/", "%2f", "?a=b", "#", ";x", "\\", "//", "&b=c")),
)
async def test_never_arrives_at_another_path(
    paypal: Conversation, place: tuple[str, str], at: int, mutation: str
) -> None:
    """However an id is mutated, the request has the operation's own path or does not exist."""
    tool, argument = place
    value = str(ARGUMENTS[tool].get(argument, "3C679366HH908993F"))
    mutated = value[:at] + mutation + value[at:]
    paypal.simulator.calls.clear()
    await paypal.call(tool, {**ARGUMENTS[tool], argument: mutated})
    operation = TOOLS[tool].operation
    for call in paypal.simulator.calls:
        assert call.method == operation.method
        assert call.path == operation.path.replace(f"{{{argument}}}", mutated)
        assert {part.split("=")[0] for part in call.query.split("&") if part} <= {
            *operation.query,
            *dict(operation.constants),
        }
