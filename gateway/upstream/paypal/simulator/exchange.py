"""One request to the simulated PayPal and its answer, as values; and how PayPal says no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.upstream.paypal.simulator.issues import DESCRIPTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a handler gets: the ids of the path, the query, the parsed body (None when there was none)."""

    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    base_url: str

    def id(self, name: str) -> str:
        """An id of the path."""
        return self.ids[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a handler gives. ``resource`` is live: a repeat of the request shows its latest state.

    ``repeat_status`` is the status of a repeat with the same PayPal-Request-Id. ``minimal`` are the members
    that remain without ``Prefer: return=representation``; None where PayPal always answers in full.
    """

    status: int
    resource: dict[str, Any] | None = None
    repeat_status: int | None = None
    minimal: frozenset[str] | None = None
    raw: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """One call as it arrived: the path undecoded, so that a traversal shows."""

    method: str
    path: str
    query: str
    request_id: str | None
    prefer: str | None
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: int | None = None
    answer: Any = None


class Issue(NamedTuple):
    """One entry of ``details``."""

    issue: str
    description: str
    field: str | None = None


class Refusal(Exception):
    """PayPal's error answer."""

    def __init__(self, status: int, name: str, message: str, *issues: Issue) -> None:
        super().__init__(f"{status} {name}")
        self.status = status
        self.name = name
        self.message = message
        self.issues = issues

    def body(self, debug_id: str) -> dict[str, Any]:
        """The REST error shape."""
        details = [
            {
                "issue": one.issue,
                "description": one.description,
                **({"field": one.field} if one.field else {}),
            }
            for one in self.issues
        ]
        body: dict[str, Any] = {"name": self.name, "message": self.message, "debug_id": debug_id}
        return {**body, "details": details, "links": []} if details else {**body, "links": []}


def unprocessable(issue: str, field_name: str | None = None, description: str | None = None) -> Refusal:
    """422 with one issue, in PayPal's words unless others are given."""
    message = (
        "The requested action could not be performed, semantically incorrect, or failed business validation."
    )
    said = description or DESCRIPTIONS[issue]
    return Refusal(422, "UNPROCESSABLE_ENTITY", message, Issue(issue, said, field_name))


def invalid(issue: str, field_name: str | None = None) -> Refusal:
    """400 with one issue, in PayPal's words."""
    message = "Request is not well-formed, syntactically incorrect, or violates schema."
    return Refusal(400, "INVALID_REQUEST", message, Issue(issue, DESCRIPTIONS[issue], field_name))


def not_found() -> Refusal:
    """404."""
    issue = Issue("INVALID_RESOURCE_ID", DESCRIPTIONS["INVALID_RESOURCE_ID"])
    return Refusal(404, "RESOURCE_NOT_FOUND", "The specified resource does not exist.", issue)


def body_object(asked: Asked) -> dict[str, Any]:
    """The body, which must be a JSON object. :raises Refusal: 400."""
    if asked.body is None:
        return {}
    if not isinstance(asked.body, dict):
        raise invalid("MALFORMED_REQUEST_JSON")
    return asked.body


def required(body: Mapping[str, Any], *names: str) -> None:
    """:raises Refusal: 400 MISSING_REQUIRED_PARAMETER for the first that is absent."""
    for name in names:
        if name not in body:
            raise invalid("MISSING_REQUIRED_PARAMETER", f"/{name}")
