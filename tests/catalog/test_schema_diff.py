"""Schemas that differ, as somebody who calls the tool would say it."""

from typing import Any

import pytest

from gateway.catalog.schema_diff import schema_changes

TEXT = {"type": "string"}


def said(before: Any, after: Any) -> list[tuple[str, str]]:
    """Kind and place of each change."""
    return [(one.kind, one.path) for one in schema_changes(before, after)]


def an_object(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    """A schema."""
    made: dict[str, Any] = {"type": "object", "properties": properties}
    return made if required is None else {**made, "required": required}


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (an_object(a=TEXT), an_object(a=TEXT, b=TEXT), [("added", "b")]),
        (an_object(a=TEXT, b=TEXT), an_object(a=TEXT), [("removed", "b")]),
        (an_object(a=TEXT), an_object(a={"type": "number"}), [("type changed", "a")]),
        (an_object(a=TEXT), an_object(["a"], a=TEXT), [("newly required", "a")]),
        (an_object([], a=TEXT), an_object(["a"], a=TEXT), [("newly required", "a")]),
        (an_object(["a"], a=TEXT), an_object([], a=TEXT), [("no longer required", "a")]),
        (an_object([]), an_object(["b"], b=TEXT), [("added", "b"), ("newly required", "b")]),
        (an_object(["a", "b"]), an_object(["b", "a"]), [("changed", "(required)")]),
        (an_object(a=TEXT), an_object(a={**TEXT, "pattern": "^x$"}), [("changed", "a (pattern)")]),
        (
            an_object(a={**TEXT, "description": "A"}),
            an_object(a={**TEXT, "description": "B"}),
            [("changed", "a (description)")],
        ),
        (an_object(a=an_object(b=TEXT)), an_object(a=an_object(b=TEXT, bcc=TEXT)), [("added", "a.bcc")]),
        (
            an_object(a={"type": "array", "items": an_object(b=TEXT)}),
            an_object(a={"type": "array", "items": an_object(b={"type": "number"})}),
            [("type changed", "a[].b")],
        ),
        (
            an_object(),
            {**an_object(), "additionalProperties": False},
            [("changed", "(additionalProperties)")],
        ),
        (None, an_object(), [("added", "(schema)")]),
        (an_object(), None, [("removed", "(schema)")]),
        (True, False, [("changed", "(schema)")]),
        (an_object(a=True), an_object(a=1), [("changed", "a")]),
        (an_object(), an_object(), []),
        ({"type": "object"}, {"type": "object", "properties": {}}, [("changed", "(properties)")]),
        ({"properties": 1}, {"properties": 2}, [("changed", "(properties)")]),
    ],
)
def test_what_changed(before: Any, after: Any, changes: list[tuple[str, str]]) -> None:
    """Each in one line."""
    assert said(before, after) == changes


def test_the_values_come_with_it() -> None:
    """Before and after."""
    (one,) = schema_changes(an_object(a=TEXT), an_object(a={"type": "number"}))
    assert (one.before, one.after) == ("string", "number")
