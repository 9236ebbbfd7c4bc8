"""PayPal's OpenAPI files as a judge of requests and answers.

The files are not part of this repository. Their folder is `COUNTERSIGN_PAYPAL_OPENAPI`, or `shared/paypal-openapi`
beside the checkout; without it the tests that need them are skipped, also under CI.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "paypal-openapi"
_METHODS = ("get", "post", "put", "patch", "delete")
_MISSING = "PayPal's OpenAPI files are not here; set COUNTERSIGN_PAYPAL_OPENAPI to their folder"


class DeclaredOperation(NamedTuple):
    """One operation of one file."""

    document: dict[str, Any]
    method: str
    template: str
    pattern: re.Pattern[str]
    declaration: dict[str, Any]


class OpenApi:
    """All files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._operations = [
            one for file in sorted(folder.glob("*.json")) for one in _operations(json.loads(file.read_text()))
        ]

    def operation(self, method: str, path: str) -> DeclaredOperation:
        """The operation of a method and a path. Paths without placeholders win. :raises LookupError:"""
        found = [o for o in self._operations if o.method == method.lower() and o.pattern.fullmatch(path)]
        if not found:
            raise LookupError(f"{method} {path} is in no OpenAPI file")
        return min(found, key=lambda one: one.template.count("{"))

    def request_faults(self, method: str, path: str, query: Mapping[str, str], body: Any) -> list[str]:
        """What is wrong with a request, including members that PayPal does not declare."""
        operation = self.operation(method, path)
        faults = list(_query_faults(operation, query))
        schema = _json_schema(operation.document, operation.declaration.get("requestBody", {}))
        if schema is not None and body is not None:
            faults += _faults(operation.document, schema, body)
            faults += [f"{place} is not declared" for place in _undeclared(operation.document, schema, body)]
        return faults

    def answer_faults(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """What is wrong with an answer: a status that is not declared, or a body that does not fit."""
        operation = self.operation(method, path)
        responses = operation.declaration["responses"]
        declared = responses.get(str(status)) or (responses.get("default") if status >= 400 else None)
        if declared is None:
            return [f"{method} {operation.template} declares no status {status}"]
        schema = _json_schema(operation.document, declared)
        return [] if schema is None or body is None else _faults(operation.document, schema, body)

    def idempotent(self, method: str, path: str) -> bool:
        """Whether PayPal declares PayPal-Request-Id for the operation."""
        operation = self.operation(method, path)
        return any(p["name"] == "PayPal-Request-Id" for p in _parameters(operation))


def paypal_openapi() -> OpenApi:
    """The files, or a skip with the reason."""
    found = paypal_openapi_if_here()
    if found is None:
        pytest.skip(_MISSING)
    return found


@cache
def paypal_openapi_if_here() -> OpenApi | None:
    """The files, for a test that has something to say without them too."""
    folder = Path(os.environ.get("COUNTERSIGN_PAYPAL_OPENAPI", _BESIDE))
    return OpenApi(folder) if any(folder.glob("*.json")) else None


def _operations(document: dict[str, Any]) -> Iterator[DeclaredOperation]:
    for template, methods in document["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template))
        for method in _METHODS:
            if method in methods:
                yield DeclaredOperation(document, method, template, pattern, methods[method])


def _resolved(document: dict[str, Any], node: Any) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _parameters(operation: DeclaredOperation) -> list[dict[str, Any]]:
    return [_resolved(operation.document, p) for p in operation.declaration.get("parameters", [])]


def _query_faults(operation: DeclaredOperation, query: Mapping[str, str]) -> Iterator[str]:
    declared = {p["name"]: p for p in _parameters(operation) if p["in"] == "query"}
    yield from (
        f"query {name} is missing" for name, p in declared.items() if p.get("required") and name not in query
    )
    for name, text in query.items():
        if name not in declared:
            yield f"query {name} is not declared"
            continue
        schema = _resolved(operation.document, declared[name]["schema"])
        kind = schema.get("type")
        value = json.loads(text) if kind in ("integer", "boolean") else text
        yield from _faults(operation.document, schema, value)


def _json_schema(document: dict[str, Any], holder: Any) -> Any:
    content = _resolved(document, holder).get("content", {})
    return content.get("application/json", {}).get("schema")


def _faults(document: dict[str, Any], schema: Any, value: Any) -> list[str]:
    """OpenAPI 3.0 schemas are draft 4 with additions that a validator of draft 4 ignores."""
    whole = {**schema, "components": document["components"]}
    validator = jsonschema.Draft4Validator(whole)
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]


def _undeclared(document: dict[str, Any], schema: Any, value: Any, place: str = "") -> Iterator[str]:
    """Members of the value that no schema names: PayPal would ignore them, and a reader would be deceived."""
    if isinstance(value, list):
        items = _resolved(document, schema).get("items")
        for i, one in enumerate(value):
            if items is not None:
                yield from _undeclared(document, items, one, f"{place}/{i}")
        return
    if not isinstance(value, dict):
        return
    properties = _properties(document, schema)
    for name, member in value.items():
        if name in properties:
            yield from _undeclared(document, properties[name], member, f"{place}/{name}")
        elif properties:
            yield f"{place}/{name}"


def _properties(document: dict[str, Any], schema: Any) -> dict[str, Any]:
    node = _resolved(document, schema)
    found: dict[str, Any] = dict(node.get("properties", {}))
    for part in (*node.get("allOf", ()), *node.get("anyOf", ()), *node.get("oneOf", ())):
        found |= _properties(document, part)
    return found
