"""Copies of the default policies that a test may edit, and policies that try to break the gateway's own promises."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from gateway.places import policies_folder
from gateway.policy.loading import CAPABILITIES
from gateway.settings.model import PolicySettings

ALLOWS_ALL = """package gateway.decision

answer := {
	"outcome": outcome,
	"reasons": [{"code": "test.verdict", "outcome": outcome, "message": "", "remedy": ""}],
	"data_class": 5,
}

default outcome := "deny"

# A policy that denies nobody would not be loaded at all: it must say no to names that nobody classified.
outcome := "allow" if data.gateway.classes.tools[input.tool.name]
"""
"""Yes to every classified tool, and a lie about its class."""


def copied(folder: Path) -> Path:
    """The default policies as ``folder/policies/gateway``, which the embedded engine loads; OPA loads its parent."""
    source, copy = policies_folder(), folder / "policies" / "gateway"
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("*_test.rego"))
    shutil.copy(source.parent / CAPABILITIES, copy.parent)
    return copy


def with_decision(folder: Path, rego: str) -> Path:
    """The default policies with another ``decision.rego``."""
    policies = copied(folder)
    (policies / "decision" / "decision.rego").write_text(rego, encoding="utf-8")
    return policies


def edit_data(policies: Path, room: str, **members: Any) -> None:
    """Replace top-level members of a room's ``data.yaml``; a mapping is merged into the one that is there."""
    path = policies / room / "data.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, value in members.items():
        data[name] = {**data[name], **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(data), encoding="utf-8")


def judged_by(policies: Path, *, reload: bool = False, timeout_s: float = 5) -> PolicySettings:
    """Settings of the embedded engine with this policy."""
    return PolicySettings(path=str(policies), reload=reload, timeout_s=timeout_s)
