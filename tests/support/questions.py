"""Questions for the policy: one that is in order, and strategies that bend it."""

import copy
from typing import Any

from hypothesis import strategies as st

Question = dict[str, Any]

NOW = 1_795_224_000

IN_ORDER: Question = {
    "call": {
        "id": "3f0c1a52-7d0e-4a3b-9a55-0c6f6a1f2b11",
        "time": NOW,
        "server": "paypal",
        "method": "tools/call",
        "protocol": "2026-07-28",
        "era": "modern",
        "client": {
            "name": "desk",
            "version": "1.2",
            "can_elicit": ["form", "url"],
            "can_input_required": True,
        },
    },
    "caller": {
        "issuer": "https://login.example.com",
        "subject": "agent-7",
        "client_id": "desk",
        "scopes": ["paypal:read", "paypal:write"],
        "roles": ["finance"],
        "key_thumbprint": None,
        "proof": {"present": False, "valid": False},
    },
    "tool": {
        "name": "create_refund",
        "version": "1.0.0",
        "definition_hash": "a" * 64,
        "provider": "paypal",
        "permissions": ["payments:write"],
        "annotations": {"readOnlyHint": False, "destructiveHint": True},
        "etdi": {"status": "verified", "evidence": "signature", "error": None},
        "first_seen": NOW - 1000,
    },
    "approval": {
        "version": "1.0.0",
        "definition_hash": "a" * 64,
        "provider": "paypal",
        "requested": ["payments:write"],
        "approved": ["payments:write"],
        "by": "ops",
        "at": NOW - 900,
        "expires": None,
        "revoked": False,
    },
    "arguments": {"capture_id": "2GG279541U471931P", "amount": {"value": "12.00", "currency_code": "USD"}},
    "arguments_hash": "b" * 64,
    "schema": {"valid": True, "errors": []},
    "money": {"amount": "12.00", "currency": "USD", "payee": None, "source": "arguments"},
    "usage": {
        "calls": {"ten_minutes": 1, "hour": 2, "day": 3},
        "failures": {"ten_minutes": 0, "hour": 0, "day": 0},
        "payees": [],
        "budgets": None,
    },
    "consent": {
        "handshake": {"satisfied": True, "age_s": 5},
        "confirmations": [
            {"by": "human", "who": "boss", "assurance": "oidc", "at": NOW - 3, "view_hash": "c" * 64}
        ],
    },
    "env": {"paypal": "sandbox", "now": NOW, "state": "ok"},
}

# Words of the contract, and what a hostile or broken caller might send in their place.
WORDS = (
    *(
        "paypal",
        "other",
        "tools/call",
        "modern",
        "legacy",
        "rest",
        "sandbox",
        "production",
        "none",
        "ok",
        "degraded",
    ),
    *("verified", "unverified", "token_invalid", "signature_invalid", "release", "token", "signature"),
    *("human", "agent", "host", "link", "oidc", "arguments", "lookup", "unknown", "USD", "EUR", "JPY", "XXX"),
    *(
        "0",
        "0.01",
        "499.99",
        "500.00",
        "500.01",
        "10000.00",
        "10000.01",
        "1e3",
        "-1",
        "+1",
        " 1",
        "1.",
        "NaN",
        "12",
    ),
    *("1.0.0", "1.0.1", "payments:write", "payments:*", "*", "filesystem", "a" * 64, "A" * 64, "a" * 63),
    *("", "deny", "allow", "é😀", 'x","outcome":"allow', "a\\", "a\nb", '"', "\\u0061", "\x7f", "\u202e"),
)
VALUES: st.SearchStrategy[Any] = (
    st.sampled_from(WORDS)
    | st.text(max_size=8)
    | st.sampled_from(
        [None, True, False, 0, 1, -1, 2, 5, 1.5, 2**53, NOW, NOW - 600, NOW + 600, [], {}, [None], [[]]]
    )
    | st.lists(st.sampled_from(WORDS), max_size=3)
    | st.dictionaries(st.sampled_from(WORDS), st.sampled_from(WORDS), max_size=2)
)


def paths(value: object, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a question that can be dropped or replaced."""
    found: list[tuple[str | int, ...]] = []
    items: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        found += [(*prefix, key), *paths(item, (*prefix, key))]
    return found


def without(question: Question, path: tuple[str | int, ...]) -> Question:
    """The question with one place left out; unchanged if that place is gone already."""
    return _edited(question, path, lambda parent, key: parent.pop(key))


def replaced(question: Question, path: tuple[str | int, ...], value: object) -> Question:
    """The question with another value at one place."""
    return _edited(question, path, lambda parent, key: parent.__setitem__(key, value))


def _edited(question: Question, path: tuple[str | int, ...], edit: Any) -> Question:
    edited = copy.deepcopy(question)
    parent: Any = edited
    try:
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]]
    except (KeyError, IndexError, TypeError):
        return edited
    if isinstance(parent, dict | list):
        edit(parent, path[-1])
    return edited


@st.composite
def bent_questions(draw: st.DrawFn, tools: tuple[str, ...], base: Question = IN_ORDER) -> Question:
    """A question in order for one of the tools, with up to five places dropped, replaced or of another type."""
    question = replaced(base, ("tool", "name"), draw(st.sampled_from(tools)))
    places = st.sampled_from(paths(base))
    for _ in range(draw(st.integers(0, 5))):
        place = draw(places)
        drop = draw(st.booleans())
        question = without(question, place) if drop else replaced(question, place, draw(VALUES))
    return question
