"""The policy about policies (``policies/checks``), asked about a folder: what is forbidden though it compiles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from gateway.policy.engine import PolicyRefused
from gateway.workbench.pack import read_pack
from gateway.workbench.programs import run_program


def violations(folder: Path, checks: Path, opa: str | Path) -> list[str]:
    """One sentence each; none: it keeps them all. ``checks`` is the folder of that policy, ``opa`` the program.

    :raises PolicyRefused: OPA cannot read the folder.
    """
    rego = [path for path in sorted(folder.rglob("*.rego")) if not path.name.endswith("_test.rego")]
    annotations = _output(opa, "inspect", "--annotations", "--format", "json", str(folder))["annotations"]
    pack = read_pack(folder)
    document = {
        "annotations": [one for one in annotations if not one["location"]["file"].endswith("_test.rego")],
        "modules": [
            _output(opa, "parse", "--format", "json", "--json-include", "locations", str(path))
            for path in rego
        ],
        "catalogue": {code: msgspec.to_builtins(reason) for code, reason in pack.reasons.items()},
        "site": pack.data.get("site", {}).get("reasons", {}),
        "patterns": pack.data.get("arguments", {}).get("rules", {}),
    }
    options = ("eval", "--format", "json", "--stdin-input", "--data", str(checks))
    answer = _output(opa, *options, "data.checks.violations", stdin=json.dumps(document))
    found: list[str] = answer["result"][0]["expressions"][0]["value"]
    return found


def _output(opa: str | Path, *arguments: str, stdin: str = "") -> Any:
    done = run_program([str(opa), *arguments], stdin=stdin)
    if done.returncode != 0:
        raise PolicyRefused(f"opa {arguments[0]}: {(done.stderr or done.stdout).strip()[:500]}")
    return json.loads(done.stdout)
