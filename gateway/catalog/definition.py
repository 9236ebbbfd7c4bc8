"""A tool definition from the wire -> its parts and its hash. Pure.

The hash covers the whole definition less what may change without changing the tool (conflict C02, hazard 11 of
PayPal's toolkit): the signature, the OAuth token, local status fields, and JSON-Schema ``default`` values, which
some servers fill with the current time. Everything else, at every depth, is covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.canonical import canonical_hash
from gateway.catalog.tool import ETDI_META_KEY

_LOCAL = frozenset({"signature", "signatureAlgorithm", "etdiStatus", "verificationStatus"})
_SCHEMA_MEMBERS = ("inputSchema", "outputSchema")
MAX_DEFINITION_BYTES = 256 * 1024
"""A larger definition is no tool a person could approve."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a definition that the gateway reads. ``wire`` is the definition exactly as it was sent."""

    name: str
    version: str | None
    provider: str | None
    permissions: tuple[str, ...]
    annotations: dict[str, Any]
    input_schema: dict[str, Any]
    has_output_schema: bool
    definition_hash: str
    wire: dict[str, Any]


def read_definition(wire: Mapping[str, Any]) -> Definition:
    """One member of ``tools/list`` -> :class:`Definition`.

    :raises ValueError: no usable name, an input schema that is no object, a malformed ETDI block, or a document
        that cannot be canonicalised. Such a tool is left out of the catalog: it cannot be called.
    """
    name = wire.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 128:
        raise ValueError("a tool without a usable name")
    if len(msgspec.json.encode(wire)) > MAX_DEFINITION_BYTES:
        raise ValueError(f"the definition of {name!r} is over {MAX_DEFINITION_BYTES} bytes")
    schema = wire.get("inputSchema")
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
        definition_hash=canonical_hash(_hashed_part(wire)),
        wire=dict(wire),
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


def _hashed_part(wire: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in wire.items() if key not in _LOCAL}
    for member in _SCHEMA_MEMBERS:
        if member in kept:
            kept[member] = _without_defaults(kept[member])
    meta = kept.get("_meta")
    if isinstance(meta, dict) and isinstance(meta.get(ETDI_META_KEY), dict):
        block = {k: v for k, v in meta[ETDI_META_KEY].items() if k not in _LOCAL}
        oauth = block.get("oauth")
        if isinstance(oauth, dict):
            block["oauth"] = {k: v for k, v in oauth.items() if k != "token"}
        kept["_meta"] = {**meta, ETDI_META_KEY: block}
    return kept


_NAMED_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_LITERALS = frozenset({"const", "enum", "examples"})


def _without_defaults(schema: Any) -> Any:
    """Drop the keyword ``default``, but never a *property* that happens to be called default, nor a literal."""
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
        elif key in _LITERALS:
            kept[key] = value
        else:
            kept[key] = _without_defaults(value)
    return kept
