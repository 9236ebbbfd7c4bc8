"""Arguments against a tool's input schema, compiled once per definition (JSON Schema; 2020-12 unless it says else).

A network ``$ref`` is never fetched (MCP 2026-07-28, server/tools): a schema that needs one does not compile, and a
tool whose schema does not compile fits no arguments.

Attack: the schema comes from the upstream, and judging by it happens in the event loop. A few nested references that
each name the next one twice are 2^40 steps from 40 lines, and a pattern can backtrack for minutes. Both are bounded.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jsonschema_rs

from gateway.catalog.tool import SchemaVerdict

MAX_ERRORS = 8
"""Errors told to the caller: enough to mend a call, too few to be a report."""
MAX_STEPS = 20_000
"""Subschemas that one value can meet in the worst case, references followed: some milliseconds. PayPal's largest tool
has 300."""
MAX_BACKTRACKS = 20_000
"""Steps of one pattern on one text, where it needs the engine that can go back."""
_OTHER_REFERENCES = ("$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef")
"""By which a part of a schema refers, or is referred to, otherwise than by a pointer."""
_OTHER_BASES = ("$id", "$schema")
"""What makes a part a schema of its own, from whose root its pointers count; ``$schema`` because under another draft
``id`` can do that, too."""
_DRAFT_4 = "draft-04"
"""Where ``$id`` was spelt ``id``."""
_FITS = SchemaVerdict(valid=True)
_MISFIT = SchemaVerdict(valid=False, errors=("/: violates the input schema",))
_UNUSABLE = SchemaVerdict(valid=False, errors=("the tool's own input schema is unusable; ask its provider",))


class InputSchema:
    """One compiled input schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._validator: jsonschema_rs.Validator | None = None
        self._explains = True
        try:
            work = _work(schema)
            if work.steps > MAX_STEPS:
                return
            # Told one by one, the errors of a schema that meets itself twice are 2^depth (`is_valid` remembers).
            self._explains = work.loops < 2
            self._validator = jsonschema_rs.validator_for(
                schema,
                retriever=_no_network,
                pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=MAX_BACKTRACKS),
            )
        except (ValueError, RecursionError, jsonschema_rs.ReferencingError):
            return

    def judge(self, arguments: dict[str, Any]) -> SchemaVerdict:
        """Whether the arguments fit. The errors name places and rules, never the values that were sent."""
        if self._validator is None:
            return _UNUSABLE
        if self._validator.is_valid(arguments):
            return _FITS
        if not self._explains:
            return _MISFIT
        errors: list[str] = []
        for error in self._validator.iter_errors(arguments):
            errors.append(_said(error))
            if len(errors) == MAX_ERRORS:
                break
        return SchemaVerdict(valid=False, errors=tuple(errors))


class _Work(NamedTuple):
    """``steps``: subschemas, each as often as a reference leads to it, cut above the bound. ``loops``: references
    that lead back to where they came from; how often those are followed is up to the arguments."""

    steps: int
    loops: int


def _work(schema: dict[str, Any]) -> _Work:
    """What judging by this schema can cost.

    :raises ValueError: a reference that is no plain JSON pointer: counting would have to resolve what the validator
        resolves, and any difference between the two would be the way around the bound.
    """
    counted: dict[str, int] = {}
    loops = 0
    bases = (*_OTHER_BASES, "id") if _DRAFT_4 in str(schema.get("$schema")) else _OTHER_BASES

    def steps(node: Any, inside: frozenset[str]) -> int:
        nonlocal loops
        if isinstance(node, list):
            return min(MAX_STEPS + 1, sum(steps(one, inside) for one in node))
        if not isinstance(node, dict):
            return 0
        total = 1 + sum(steps(one, inside) for one in node.values())
        if any(isinstance(node.get(key), str) for key in _OTHER_REFERENCES):
            raise ValueError("a reference by name")
        if node is not schema and any(isinstance(node.get(key), str) for key in bases):
            raise ValueError("a schema inside a schema")
        reference = node.get("$ref")
        if isinstance(reference, str):
            if reference in inside:
                loops += 1
            elif reference not in counted:
                counted[reference] = steps(_pointed_at(schema, reference), inside | {reference})
            total += counted.get(reference, 1)
        return min(MAX_STEPS + 1, total)

    return _Work(steps(schema, frozenset({"#"})), loops)


def _pointed_at(root: Any, reference: str) -> Any:
    if (reference != "#" and not reference.startswith("#/")) or "%" in reference:
        raise ValueError("a reference that is no plain pointer")
    node = root
    for step in reference[1:].split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict):
            node = node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def _said(error: jsonschema_rs.ValidationError) -> str:
    steps = list(error.instance_path)
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
        steps.append(
            error.kind.property
        )  # where the member would stand: its name is the schema's, not a value
    place = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    rule = "/".join(str(step) for step in error.schema_path[-2:])
    return f"{place[:120]}: violates {rule[:80]}"


def _no_network(uri: str) -> Any:
    raise ValueError(f"a schema reference outside the definition is not followed: {uri[:80]}")
