"""The tool of these tests, and a call of it."""

from __future__ import annotations

from typing import Any

PARAMETERS = {"capture_id": "C-1", "amount": {"value": "5.00", "currency": "EUR"}, "lines": [1, 2.5, None]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "capture_id": {"type": "string", "pattern": "^C-[0-9]+$"},
        "amount": {"$ref": "#/$defs/money"},
        "lines": {"type": "array", "items": {"type": ["number", "null"]}},
    },
    "required": ["capture_id"],
    "additionalProperties": False,
    "$defs": {
        "money": {
            "type": "object",
            "properties": {"value": {"type": "string"}, "currency": {"enum": ["EUR", "USD"]}},
            "required": ["value", "currency"],
        }
    },
}
