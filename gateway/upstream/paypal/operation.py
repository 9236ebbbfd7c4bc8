"""What a tool is: its words, its schema, its permissions the one PayPal operation behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

from gateway.catalog.tool import ETDI_META_KEY

Arguments = Mapping[str, Any]
BodyBuilder = Callable[[Arguments], Any]

PROVIDER = {"id": "countersign", "name": "Countersign"}


class Problem(NamedTuple):
    """Why arguments cannot be sent: a JSON pointer (RFC 6901), the rule, a sentence without values."""

    pointer: str
    rule: str
    message: str


Rule = Callable[[Arguments], list[Problem]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of PayPal's REST API.

    ``path`` holds ``{argument}`` placeholders; ``query`` names the arguments that travel in the query.
    ``success`` are the statuses that PayPal's OpenAPI files declare. ``idempotent``: PayPal declares
    PayPal-Request-Id here and answers a repeat with the first result. ``prefer``: ``Prefer:
    return=representation`` is understood. ``answer``: ``json``; ``image`` (a base64 PNG in a multipart text);
    ``batch`` (errors can hide in a 200).
    """

    method: Literal["GET", "POST", "PATCH"]
    path: str
    effect: Literal["read", "write"]
    success: frozenset[int]
    query: tuple[str, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    body: BodyBuilder | None = None
    idempotent: bool = False
    prefer: bool = False
    answer: Literal["json", "image", "batch"] = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDefinition:
    """One tool. ``destructive`` and ``repeatable`` are MCP's destructiveHint and idempotentHint."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    permissions: tuple[str, ...]
    operation: Operation
    rules: tuple[Rule, ...] = ()
    destructive: bool = False
    repeatable: bool = False
    version: str = "1.0.0"

    @property
    def wire(self) -> dict[str, Any]:
        """The MCP tool as ``tools/list`` sends it. Every access builds a new copy: nobody can edit ours."""
        read_only = self.operation.effect == "read"
        wire: dict[str, Any] = {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": {"$schema": "https://json-schema.org/draft/2020-12/schema", **self.input_schema},
            "annotations": {
                "title": self.title,
                "readOnlyHint": read_only,
                "destructiveHint": self.destructive,
                "idempotentHint": read_only or self.repeatable,
                "openWorldHint": True,
            },
            "_meta": {
                ETDI_META_KEY: {
                    "id": f"countersign.paypal.{self.name}",
                    "version": self.version,
                    "provider": PROVIDER,
                    "permissions": list(self.permissions),
                }
            },
        }
        copy: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(wire))
        return copy


def pick(*names: str) -> BodyBuilder:
    """A body of these arguments, as given; those that were not given are left out."""

    def body(arguments: Arguments) -> dict[str, Any]:
        return {name: arguments[name] for name in names if name in arguments}

    return body
