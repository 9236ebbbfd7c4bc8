"""A tool definition from the wire -> its parts and its hash. Pure.

The hash covers the whole definition less what may change without changing the tool (conflict C02, hazard 11 of
PayPal's toolkit): the signature, the OAuth token, local status fields, and JSON-Schema ``default`` values, which
some servers fill with the current time. Everything else, at every depth, is covered.

What the hash does not cover is not used either. Attack: a server changes a ``default`` after the approval, from a
date to an instruction, or to another payee, and the model reads it. So defaults and status fields are taken off the
definition that hosts are shown, and arguments are judged by the schema without them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import x_mcp_header_map

from gateway.canonical import canonical_hash
from gateway.catalog.tool import ETDI_META_KEY

_STATUS = frozenset({"etdiStatus", "verificationStatus"})
"""Set by a client for itself; from a server it is a claim that nobody checked (R068)."""
_LOCAL = _STATUS | {"signature", "signatureAlgorithm"}
_SCHEMA_MEMBERS = ("inputSchema", "outputSchema")
MAX_DEFINITION_BYTES = 256 * 1024
"""A larger definition is no tool a person could approve."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a definition that the gateway reads.

    ``wire`` is the definition as it was sent, less defaults and status fields; ``input_schema`` is its own, and
    ``mirrors_arguments`` says that some of its arguments travel as ``Mcp-Param-*`` headers too.
    """

    name: str
    version: str | None
    provider: str | None
    permissions: tuple[str, ...]
    annotations: dict[str, Any]
    input_schema: dict[str, Any]
    has_output_schema: bool
    mirrors_arguments: bool
    definition_hash: str
    wire: dict[str, Any]


def read_definition(wire: Mapping[str, Any]) -> Definition:
    """One member of ``tools/list`` -> :class:`Definition`.

    :raises ValueError: no usable name, an input schema that is no object, a malformed ETDI block, or a document
        that cannot be canonicalised. Such a tool is left out of the catalog: it cannot be called.
    """
    try:
        return _read(wire)
    except RecursionError:
        raise ValueError("a definition that is nested too deep") from None


def _read(wire: Mapping[str, Any]) -> Definition:
    name = wire.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 128:
        raise ValueError("a tool without a usable name")
    if len(msgspec.json.encode(wire)) > MAX_DEFINITION_BYTES:
        raise ValueError(f"the definition of {name!r} is over {MAX_DEFINITION_BYTES} bytes")
    shown = _shown_part(wire)
    schema = shown.get("inputSchema")
    if not isinstance(schema, dict):
        raise ValueError(f"the tool {name!r} has no input schema")
    block = _etdi_block(wire)
    annotations = wire.get("annotations")
    return Definition(
        name=name,
        version=_text(block.get("version")),
        provider=_provider(block.get("provider")),
        permissions=_permissions(block.get("permissions")),
        annotations=annotations if isinstance(annotations, dict) else {},
        input_schema=schema,
        has_output_schema=isinstance(wire.get("outputSchema"), dict),
        mirrors_arguments=bool(x_mcp_header_map(schema)),
        definition_hash=canonical_hash(_hashed_part(shown)),
        wire=shown,
    )


def _etdi_block(wire: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = wire.get("_meta")
    block = meta.get(ETDI_META_KEY) if isinstance(meta, dict) else None
    if block is None:
        return {}
    if not isinstance(block, dict):
        raise ValueError("the ETDI block of a tool is not an object")
    return block


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("a member of the ETDI block is not text")


def _provider(value: Any) -> str | None:
    if isinstance(value, dict):
        return _text(value.get("id"))
    return _text(value)


def _permissions(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("the permissions of a tool are not a list of texts")
    return tuple(sorted(set(value)))


def _shown_part(wire: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in wire.items() if key not in _STATUS}
    for member in _SCHEMA_MEMBERS:
        if member in kept:
            kept[member] = _without_defaults(kept[member])
    return _with_block(kept, without=_STATUS)


def _hashed_part(shown: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in shown.items() if key not in _LOCAL}
    block = _etdi_block(kept)
    oauth = block.get("oauth")
    if isinstance(oauth, dict):
        block = {**block, "oauth": {key: value for key, value in oauth.items() if key != "token"}}
        kept["_meta"] = {**kept["_meta"], ETDI_META_KEY: block}
    return _with_block(kept, without=_LOCAL)


def _with_block(wire: dict[str, Any], *, without: frozenset[str]) -> dict[str, Any]:
    """The definition, its ETDI block without these members."""
    block = _etdi_block(wire)
    if without.isdisjoint(block):
        return wire
    kept = {key: value for key, value in block.items() if key not in without}
    return {**wire, "_meta": {**wire["_meta"], ETDI_META_KEY: kept}}


_SCHEMAS = frozenset(
    {
        *(
            "additionalItems",
            "additionalProperties",
            "contains",
            "contentSchema",
            "else",
            "if",
            "items",
            "not",
        ),
        *("propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"),
        *("allOf", "anyOf", "oneOf", "prefixItems"),
    }
)
"""Keywords whose value is a schema, or a list of schemas (JSON Schema 2020-12, and what drafts 4 to 7 had besides)."""
_NAMED_SCHEMAS = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
"""Keywords whose value is an object of schemas by name; ``default`` is a name like any other there."""


def _without_defaults(schema: Any) -> Any:
    """Drop the keyword ``default``, and nothing that is merely called so: not a *property* of that name, not a member
    of a literal (``const``, ``enum``), not what stands below a keyword that no draft knows."""
    if isinstance(schema, list):
        return [_without_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "default":
            continue
        if key in _NAMED_SCHEMAS and isinstance(value, dict):
            kept[key] = {name: _without_defaults(one) for name, one in value.items()}
        elif key in _SCHEMAS:
            kept[key] = _without_defaults(value)
        else:
            kept[key] = value
    return kept
