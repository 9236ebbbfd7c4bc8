"""The policy about policies, asked about a tree. ``python -m tests.support.policy_checks`` says what it finds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from tests.support import parts
from tests.support.opa_program import Opa
from tests.support.policy_cases import POLICIES

CHECKS = POLICIES / "checks"


def violations(opa: Opa, tree: Path) -> list[str]:
    """What ``policies/checks`` finds in a policy tree."""
    rego = [path for path in sorted(tree.rglob("*.rego")) if not path.name.endswith("_test.rego")]
    annotations = opa.output("inspect", "--annotations", "--format", "json", tree)["annotations"]
    data = {
        room: yaml.safe_load((tree / room / "data.yaml").read_text(encoding="utf-8"))
        for room in ("reasons", "arguments", "site")
    }
    document = {
        "annotations": [one for one in annotations if not one["location"]["file"].endswith("_test.rego")],
        "modules": [
            opa.output("parse", "--format", "json", "--json-include", "locations", path) for path in rego
        ],
        "catalogue": {**data["site"]["reasons"], **data["reasons"]["catalogue"]},
        "site": data["site"]["reasons"],
        "patterns": data["arguments"]["rules"],
    }
    options = ("eval", "--format", "json", "--stdin-input", "--data")
    asked = opa.output(*options, CHECKS, "data.checks.violations", stdin=json.dumps(document))
    found: list[str] = asked["result"][0]["expressions"][0]["value"]
    return found


if __name__ == "__main__":
    problems = violations(Opa(parts.require(parts.OPA)), POLICIES / "gateway")
    sys.stderr.writelines(f"{one}\n" for one in problems)
    sys.exit(bool(problems))
