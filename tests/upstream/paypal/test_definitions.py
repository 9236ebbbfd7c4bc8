"""The 28 definitions: names, closed schemas, honest hints, stable hashes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from gateway.catalog.definition import read_definition
from gateway.upstream.paypal.definitions import TOOLS
from tests.upstream.paypal.conversation import ARGUMENTS

README_NAMES = {
    *("create_invoice", "list_invoices", "get_invoice", "send_invoice", "send_invoice_reminder"),
    *("cancel_sent_invoice", "generate_invoice_qr_code"),
    *("create_order", "get_order", "pay_order", "create_refund", "get_refund"),
    *("list_disputes", "get_dispute", "accept_dispute_claim"),
    *("create_shipment_tracking", "get_shipment_tracking"),
    *("create_product", "list_products", "show_product_details"),
    *("create_subscription_plan", "list_subscription_plans", "show_subscription_plan_details"),
    *("create_subscription", "show_subscription_details", "update_subscription", "cancel_subscription"),
    "list_transactions",
}


def nodes(schema: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with its place."""
    if isinstance(schema, dict) and "type" in schema:
        yield place, schema
        for name, member in schema.get("properties", {}).items():
            yield from nodes(member, f"{place}/{name}")
        if "items" in schema:
            yield from nodes(schema["items"], f"{place}/*")


EVERY_NODE = [(n, p, s) for n, tool in TOOLS.items() for p, s in nodes(dict(tool.input_schema))]


def test_has_exactly_the_28_tools_of_the_readme() -> None:
    """R002: these names and no others; PayPal's newer, unclassified tools are absent (R007)."""
    assert set(TOOLS) == README_NAMES
    assert len(TOOLS) == 28


@pytest.mark.parametrize(("tool", "place", "schema"), EVERY_NODE)
def test_closes_every_object_and_bounds_every_value(tool: str, place: str, schema: dict[str, Any]) -> None:
    """At every depth: no unknown members, no unbounded string, list or number, no default, an anchored pattern."""
    assert "default" not in schema
    match schema["type"]:
        case "object":
            assert schema["additionalProperties"] is False
            assert set(schema.get("required", ())) <= set(schema["properties"])
        case "array":
            assert schema["maxItems"] <= 100
        case "integer":
            assert {"minimum", "maximum"} <= set(schema)
        case "string":
            assert "enum" in schema or schema["maxLength"] <= 4000
            pattern = schema.get("pattern", "^$")
            assert pattern.startswith("^")
            assert pattern.endswith("$")
        case other:
            assert other == "boolean"
    assert place == "" or place.endswith("*") or schema.get("description") or schema["type"] == "object"


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_is_a_valid_schema_that_a_working_call_fits(tool: Any) -> None:
    """The schema is proper JSON Schema 2020-12 for other validators too, and the sample arguments fit it."""
    schema = tool.wire["inputSchema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(ARGUMENTS[tool.name])


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_tells_the_truth_in_its_hints(tool: Any) -> None:
    """A read is read-only and repeatable, a write is neither destructive nor repeatable unless it says so."""
    hints = tool.wire["annotations"]
    assert hints["readOnlyHint"] is (tool.operation.effect == "read")
    assert hints["openWorldHint"] is True
    if hints["readOnlyHint"]:
        assert hints["idempotentHint"] is True
        assert hints["destructiveHint"] is False
    assert tool.name not in ("create_refund", "create_order") or hints["idempotentHint"] is False


def test_marks_what_cannot_be_undone() -> None:
    """The destructive tools are the ones that take or give money, or end something."""
    assert {name for name, tool in TOOLS.items() if tool.destructive} == {
        "pay_order",
        "create_refund",
        "accept_dispute_claim",
        "cancel_sent_invoice",
        "update_subscription",
        "cancel_subscription",
    }


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_is_read_by_the_catalog_and_hashes_the_same_each_time(tool: Any) -> None:
    """The catalog finds version, provider and permissions where ETDI puts them; the hash does not wander."""
    read = read_definition(tool.wire)
    assert (read.version, read.provider) == ("1.0.0", "countersign")
    assert read.permissions == tuple(sorted(tool.permissions))
    assert all(one.startswith("paypal:") for one in read.permissions)
    assert read.definition_hash == read_definition(tool.wire).definition_hash


def test_cannot_be_edited_from_outside() -> None:
    """Whoever changes a definition changes a copy."""
    TOOLS["create_refund"].wire["inputSchema"]["additionalProperties"] = True
    assert TOOLS["create_refund"].wire["inputSchema"]["additionalProperties"] is False
