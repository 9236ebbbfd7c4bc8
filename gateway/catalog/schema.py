"""Arguments against a tool's input schema, compiled once per definition (JSON Schema 2020-12).

A network ``$ref`` is never fetched (MCP 2026-07-28, server/tools): a schema that needs one does not compile, and a
tool whose schema does not compile fits no arguments.
"""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from gateway.catalog.tool import SchemaVerdict

MAX_ERRORS = 8
"""Errors told to the caller: enough to mend a call, too few to be a report."""
_FITS = SchemaVerdict(valid=True)


class InputSchema:
    """One compiled input schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._problem: str | None = None
        try:
            self._validator = jsonschema_rs.Draft202012Validator(schema, retriever=_no_network)
        except (ValueError, jsonschema_rs.ReferencingError):
            self._problem = "the tool's own input schema is unusable; ask its provider"

    def judge(self, arguments: dict[str, Any]) -> SchemaVerdict:
        """Whether the arguments fit. The errors name places and rules, never the values that were sent."""
        if self._problem is not None:
            return SchemaVerdict(valid=False, errors=(self._problem,))
        if self._validator.is_valid(arguments):
            return _FITS
        errors: list[str] = []
        for error in self._validator.iter_errors(arguments):
            errors.append(_said(error))
            if len(errors) == MAX_ERRORS:
                break
        return SchemaVerdict(valid=False, errors=tuple(errors))


def _said(error: jsonschema_rs.ValidationError) -> str:
    place = "/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in error.instance_path)
    rule = "/".join(str(step) for step in error.schema_path[-2:])
    return f"{place[:120]}: violates {rule[:80]}"


def _no_network(uri: str) -> Any:
    raise ValueError(f"a schema reference outside the definition is not followed: {uri[:80]}")
