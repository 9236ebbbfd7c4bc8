"""A tool definition from the wire -> its parts and its hash. Pure.

The hash covers the whole definition less what may change without changing the tool (conflict C02, hazard 11 of
PayPal's toolkit): the signature, the OAuth token, local status fields, and JSON-Schema ``default`` values, which
some servers fill with the current time. Everything else, at every depth, is covered.

What the hash does not cover is not used either. Attack: a server changes a ``default`` after the approval, from a
date to an instruction, or to another payee, and the model reads it. So defaults and status fields are taken off the
definition that hosts are shown, and arguments are judged by the schema without them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from mcp.shared.inbound import x_mcp_header_map

from gateway.canonical import canonical_hash
from gateway.catalog.block import EtdiBlock, read_block, rewritten

_STATUS = frozenset({"etdiStatus", "verificationStatus", "_verificationDetails"})
"""Set by a client for itself; from a server it is a claim that nobody checked (R068)."""
_SIGNATURE = frozenset({"signature", "signatureAlgorithm"})
_LOCAL = _STATUS | _SIGNATURE
_UNCOVERED = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}")
"""What a token or a signature can be: no words in a language, no markup."""
_ALGORITHM = re.compile(r"[A-Za-z0-9]{1,16}")
_SCHEMA_MEMBERS = ("inputSchema", "outputSchema")
MAX_DEFINITION_BYTES = 256 * 1024
"""A larger definition is no tool a person could approve."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a definition that the gateway reads.

    ``wire`` is the definition as it was sent, less defaults and status fields; ``input_schema`` is its own, and
    ``mirrors_arguments`` says that some of its arguments travel as ``Mcp-Param-*`` headers too. ``block`` is what it
    says of itself, unverified, and ``version``, ``provider`` (its id) and ``permissions`` (their names) are from there.
    ``signed_hash``: hex SHA-256 of what a direct signature signs; None where there is no signature.
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
    block: EtdiBlock = EtdiBlock()
    signed_hash: str | None = None


def signed_part(wire: Mapping[str, Any]) -> dict[str, Any]:
    """What a provider signs (C24): the whole definition as it is sent, less the signature, and less the OAuth block,
    which comes later and is renewed. RFC 8785 bytes of this are the signature's input; ``signatureAlgorithm`` and
    ``keyId`` are in it."""
    return rewritten(wire, lambda part: _less(part, _STATUS | {"signature", "oauth"}))


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
    block = read_block(wire)
    annotations = wire.get("annotations")
    return Definition(
        name=name,
        version=block.version,
        provider=None if block.provider is None else block.provider.id,
        permissions=tuple(one.name for one in block.permissions),
        annotations=annotations if isinstance(annotations, dict) else {},
        input_schema=schema,
        has_output_schema=isinstance(wire.get("outputSchema"), dict),
        mirrors_arguments=bool(x_mcp_header_map(schema)),
        definition_hash=canonical_hash(_hashed_part(shown)),
        wire=shown,
        block=block,
        signed_hash=None if block.signature is None else canonical_hash(signed_part(wire)),
    )


def _shown_part(wire: Mapping[str, Any]) -> dict[str, Any]:
    kept = rewritten(wire, _shown_block)
    for member in _SCHEMA_MEMBERS:
        if member in kept:
            kept[member] = _without_defaults(kept[member])
    return kept


def _shown_block(part: Mapping[str, Any]) -> dict[str, Any]:
    """Without status fields, and without a token or a signature that is none: the hash does not cover them, so they
    could turn into words to the model after the approval."""
    kept = _less(part, _STATUS)
    for member in _SIGNATURE & kept.keys():
        if not _opaque(kept[member], _UNCOVERED if member == "signature" else _ALGORITHM):
            del kept[member]
    oauth = kept.get("oauth")
    if isinstance(oauth, Mapping) and "token" in oauth and not _opaque(oauth["token"], _UNCOVERED):
        kept["oauth"] = _less(oauth, frozenset({"token"}))
    return kept


def _hashed_part(shown: Mapping[str, Any]) -> dict[str, Any]:
    return rewritten(shown, _hashed_block)


def _hashed_block(part: Mapping[str, Any]) -> dict[str, Any]:
    kept = _less(part, _LOCAL)
    if isinstance(kept.get("oauth"), Mapping):
        kept["oauth"] = _less(kept["oauth"], frozenset({"token"}))
    return kept


def _opaque(value: Any, shape: re.Pattern[str]) -> bool:
    return isinstance(value, str) and shape.fullmatch(value) is not None


def _less(part: Mapping[str, Any], members: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key not in members}


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
