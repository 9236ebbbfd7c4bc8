"""``countersign tools request``: it stands in the history and in the audit, and approves nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Run, audit_lines

TOOL = "create_refund"


def test_an_approval_is_asked_for(run: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    """With the reason; what was revoked stays so."""
    config()
    assert run("tools", "revoke", "paypal", TOOL, "--by", "ann").code == 0
    asked = run("tools", "request", "paypal", TOOL, "--by", "bob", "--why", "refunds are due")
    assert (asked.code, asked.out.strip()) == (0, f"paypal {TOOL}: asked for")
    rows = run("tools", "list", "--json").document
    assert ["revoked" in one["approval"] for one in rows if one["tool"] == TOOL] == [True]
    assert "refunds are due" in run("tools", "history", "paypal", TOOL).out
    assert [one["reasons"] for one in audit_lines(tmp_path)][-1] == ["admin.request_tool"]


def test_what_is_not_there_or_has_no_reason_is_not_asked_for(run: Run, config: Callable[..., Path]) -> None:
    """Exit 2, and why."""
    config()
    assert "no tool" in run("tools", "request", "paypal", "nothing", "--by", "bob", "--why", "x").err
    assert run("tools", "request", "paypal", TOOL, "--by", "bob").code == 2
    assert run("tools", "request", "paypal", TOOL, "--by", "bob", "--why", " ").code == 2
