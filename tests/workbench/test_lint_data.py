"""Tables about what does not exist are found."""

import json
from pathlib import Path

import pytest

from gateway.workbench.finding import Finding
from gateway.workbench.lint_data import lint_data
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from tests.workbench.conftest import edited

NOW = 1_795_224_000.0


def found(folder: Path, *, now: float = NOW) -> list[Finding]:
    """What the linter says."""
    schemas = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (folder.parent / "schemas").glob("*.json")
    }
    return lint_data(read_pack(folder), schemas, {"paypal": PAYPAL}, now=now)


def test_what_ships_has_nothing(folder: Path) -> None:
    """Clean from the start: what is found later is new."""
    assert found(folder) == []


@pytest.mark.parametrize(
    ("room", "old", "new", "check", "severity", "named"),
    [
        ("limits", "soft_quorum: 2", "soft_quorum: two", "schema", "error", "/soft_quorum"),
        ("limits", "  - create_refund", "  - create_refnd", "tools", "error", "create_refnd"),
        (
            "budgets",
            "budgets: {}",
            "budgets: {day: {caller: any, tool: [create_refnd], payee: any, window_seconds: 60, limits: {USD: '1'}}}",
            "tools",
            "error",
            "create_refnd",
        ),
        ("usage", "tools: {}", "tools: {create_refnd: {calls: {hour: 5}}}", "tools", "error", "create_refnd"),
        ("usage", "{hour: 30}", "{hours: 30}", "schema", "error", "/classes/1/failures"),
        ("arguments", "  pay_order:", "  pay_ordr:", "tools", "error", "pay_ordr"),
        ("arguments", "    /capture_id:", "    /captureid:", "paths", "error", "/captureid"),
        ("arguments", "    /amount/value:", "    /amount/vaule:", "paths", "error", "/amount/vaule"),
        ("arguments", "/items: 50", "/itmes: 50", "paths", "error", "/itmes"),
        (
            "arguments",
            "structure:\n",
            "structure:\n  create_refund: {keys: [capture_id]}\n",
            "shadowed",
            "warning",
            "/rules/create_refund/amount/value",
        ),
        (
            "arguments",
            "structure:\n",
            "structure:\n  create_refund: {forbidden: [/capture_id]}\n",
            "shadowed",
            "warning",
            "/rules/create_refund/capture_id",
        ),
        ("environment", "tools: []", "tools: [create_refnd]", "tools", "error", "create_refnd"),
        (
            "environment",
            "tools: []",
            "tools: [paypal/create_refund]",
            "tools",
            "error",
            "by their name alone",
        ),
        ("redaction", "  get_order:", "  get_ordr:", "tools", "error", "get_ordr"),
        ("transactions", "replayable: {}", "replayable: {pay_ordr: 900}", "tools", "error", "pay_ordr"),
        ("decisions", "  create_refund:", "  create_refnd:", "tools", "error", "create_refnd"),
        ("limits", "  - create_refund", "  - other/create_refnd", "tools", "error", "other/create_refnd"),
        (
            "arguments",
            "structure:\n",
            "structure:\n  create_refund: {forbidden: [/invoice_di]}\n",
            "paths",
            "error",
            "/invoice_di",
        ),
        (
            "arguments",
            "structure:\n",
            'structure:\n  create_refund: {forbidden: ["/items/*"]}\n',
            "schema",
            "error",
            "/structure/create_refund/forbidden/0",
        ),
        (
            "arguments",
            "structure:\n",
            'structure:\n  create_refund: {max_items: {"/a/*/b/*/c": 1}}\n',
            "schema",
            "error",
            "/a/*/b/*/c",
        ),
        (
            "consent",
            "assurance: [host, agent, link, oidc]",
            "assurance: [oidc, link, agent, host]",
            "scale",
            "error",
            "'oidc'",
        ),
        (
            "consent",
            "assurance: [host, agent, link, oidc]",
            "assurance: [host, agent, oidc, link]",
            "scale",
            "error",
            "a link is weaker",
        ),
        (
            "budgets",
            "budgets: {}",
            "budgets: {day: {caller: any, tool: any, payee: [a b], window_seconds: 60, limits: {USD: '1'}}}",
            "schema",
            "error",
            "/budgets/day/payee",
        ),
        (
            "migration",
            "exemptions: []",
            "exemptions: [{server: w, tool: t, expires: 1798761600000}]",
            "schema",
            "error",
            "/exemptions/0/expires",
        ),
        (
            "migration",
            "tools: {}",
            "tools: {list_prodcts: {phase: completion, share: 5}}",
            "tools",
            "error",
            "list_prodcts",
        ),
        (
            "migration",
            "classes: {}, tools",
            'classes: {"4": {phase: later, share: 5}}, tools',
            "schema",
            "error",
            "later",
        ),
        (
            "migration",
            "exemptions: []",
            f"exemptions: [{{server: w, tool: t, expires: {int(NOW)}}}]",
            "never",
            "warning",
            "its date is over",
        ),
    ],
)
def test_a_mistake_is_found(
    folder: Path, room: str, old: str, new: str, check: str, severity: str, named: str
) -> None:
    """With its file and place, and what helps."""
    edited(folder / room / "data.yaml", old, new)
    ours = [one for one in found(folder) if one.check == check and named in one.where + one.message]
    assert ours, found(folder)
    assert {one.severity for one in ours} == {severity}
    assert all(one.where.startswith(f"gateway/{room}/data.yaml") and one.remedy for one in ours)


def test_a_tool_of_one_server_may_be_named_where_rules_look_for_that(folder: Path) -> None:
    """Of a server without a table of its own, all tools; of one with a table, those in it."""
    edited(folder / "classes" / "data.yaml", "servers: {}", "servers: {depot: {ship_parcel: 3}}")
    edited(
        folder / "limits" / "data.yaml",
        "  - create_refund",
        "  - create_refund\n  - paypal/pay_order\n  - depot/ship_parcel\n  - ship_parcel",
    )
    assert found(folder) == []
    edited(folder / "limits" / "data.yaml", "  - depot/ship_parcel", "  - depot/pay_order")
    assert [one.where for one in found(folder)] == ["gateway/limits/data.yaml /amount_required/3"]


def test_an_exemption_still_counts_until_its_second(folder: Path) -> None:
    """And not at all in the phase that ignores exemptions."""
    path = folder / "migration" / "data.yaml"
    edited(path, "exemptions: []", f"exemptions: [{{server: w, tool: t, expires: {int(NOW) + 1}}}]")
    assert found(folder) == []
    edited(path, "phase: enforcement", "phase: completion")
    ((check, message),) = [(one.check, one.message) for one in found(folder)]
    assert (check, message) == ("never", "exempts nothing: the phase `completion` ignores exemptions")


def test_a_server_with_a_table_of_its_own_has_its_tools_under_its_name(folder: Path) -> None:
    """`warehouse/list` is known when the server's table has it; its schema is not known here, so its places pass."""
    edited(
        folder / "arguments" / "data.yaml",
        "rules:\n",
        "rules:\n  warehouse/list: {/any/place: {values: [a]}}\n",
    )
    assert [one.check for one in found(folder)] == ["tools"]
    classes = folder / "classes" / "data.yaml"
    text = classes.read_text(encoding="utf-8")
    assert "servers:" not in text.replace("# servers:", "") or "servers: {}" in text
    if "servers: {}" in text:
        edited(classes, "servers: {}", "servers: {warehouse: {list: 4}}")
    else:
        classes.write_text(text + "\nservers: {warehouse: {list: 4}}\n", encoding="utf-8")
    assert found(folder) == []
