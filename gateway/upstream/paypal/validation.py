"""Arguments against schema and rules. Compiled once; no network reference is ever followed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs

from gateway.upstream.paypal.operation import Problem, ToolDefinition
from gateway.upstream.paypal.rules import decimals_fit

MOST_PROBLEMS = 8
"""Problems told to the caller: enough to mend a call, too few to be a report."""
_LONGEST_POINTER = 160


class ArgumentChecker:
    """One tool's input schema and rules, ready to judge."""

    def __init__(self, tool: ToolDefinition) -> None:
        self._validator = jsonschema_rs.Draft202012Validator(dict(tool.input_schema), retriever=_no_network)
        self._rules = (decimals_fit, *tool.rules)

    def problems(self, arguments: Mapping[str, Any]) -> list[Problem]:
        """What is wrong, if anything. Problems name places and rules, never the values sent."""
        if not self._validator.is_valid(arguments):
            return _schema_problems(self._validator, arguments)
        found: list[Problem] = []
        for rule in self._rules:
            found.extend(rule(arguments))
        return found[:MOST_PROBLEMS]


def _schema_problems(
    validator: jsonschema_rs.Draft202012Validator, arguments: Mapping[str, Any]
) -> list[Problem]:
    problems: list[Problem] = []
    for error in validator.iter_errors(arguments):
        pointer = "".join(
            "/" + str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path
        )
        rule = str(error.schema_path[-1]) if error.schema_path else "schema"
        if error.schema_path and isinstance(error.schema_path[-1], int):
            rule = str(error.schema_path[-2])
        problems.append(Problem(pointer[:_LONGEST_POINTER], rule, f"violates {rule}"))
        if len(problems) == MOST_PROBLEMS:
            break
    return problems


def _no_network(uri: str) -> Any:
    raise ValueError(f"a schema reference outside the definition is not followed: {uri[:80]}")
