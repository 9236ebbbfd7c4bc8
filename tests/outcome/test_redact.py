"""What the policy masks is seen nowhere in the result."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.outcome.redact import MASK, redact

EMAIL = "buyer@example.com"
ORDER: dict[str, Any] = {
    "id": "O1",
    "payer": {"email": EMAIL, "name": "Bo"},
    "units": [{"to": EMAIL}, {"n": 1}],
}
MASKED_BLOCK = {"type": "text", "text": MASK}


def text_of(document: Any) -> dict[str, Any]:
    """A content block with the document as JSON."""
    return {"type": "text", "text": json.dumps(document)}


def result_of(structured: Any = ORDER, *blocks: Any, **members: Any) -> dict[str, Any]:
    """A tool's result with a structured part and its text copy, or other blocks."""
    content = list(blocks) or [text_of(structured)]
    return {"content": content, "structuredContent": structured, "isError": False, **members}


@pytest.mark.parametrize(
    ("pointer", "document", "masked"),
    [
        ("/a", {"a": 1, "b": 2}, {"a": MASK, "b": 2}),
        ("/a/b", {"a": {"b": 1, "c": 2}}, {"a": {"b": MASK, "c": 2}}),
        ("/a~1b", {"a/b": 1, "a": {"b": 2}}, {"a/b": MASK, "a": {"b": 2}}),
        ("/a~0b", {"a~b": 1}, {"a~b": MASK}),
        ("/a~01", {"a~1": 1, "a/": 2}, {"a~1": MASK, "a/": 2}),
        ("/", {"": 1, "a": 2}, {"": MASK, "a": 2}),
        ("/a/0", {"a": [1, 2]}, {"a": [MASK, 2]}),
        ("/a/0", {"a": {"0": 1}}, {"a": {"0": MASK}}),
        ("/a/2", {"a": [1, 2]}, {"a": [1, 2]}),
        ("/a/-", {"a": [1, 2]}, {"a": [1, 2]}),
        ("/a/01", {"a": [1, 2]}, {"a": [1, 2]}),
        ("/a/\u0661", {"a": [1, 2]}, {"a": [1, 2]}),
        ("/a/*", {"a": [1, {"b": 2}]}, {"a": [MASK, MASK]}),
        ("/a/*/b", {"a": [{"b": 1, "c": 2}, {"c": 3}, 4]}, {"a": [{"b": MASK, "c": 2}, {"c": 3}, 4]}),
        ("/*/b", {"x": {"b": 1}, "y": {"b": 2, "c": 3}}, {"x": {"b": MASK}, "y": {"b": MASK, "c": 3}}),
        ("/*", {"x": 1, "*": 2}, {"x": MASK, "*": MASK}),
        ("", {"a": 1}, MASK),
        ("/a/b", {"a": None}, {"a": None}),
        ("/a/b", {"a": "b"}, {"a": "b"}),
        ("/missing", {"a": 1}, {"a": 1}),
        ("/a", {"a": None}, {"a": MASK}),
    ],
)
def test_pointers(pointer: str, document: Any, masked: Any) -> None:
    """RFC 6901, with `*` for every index and every key."""
    assert redact(result_of(document), (pointer,))["structuredContent"] == masked


def test_the_text_copy_is_masked_alike() -> None:
    """And stays JSON."""
    shown = redact(result_of(), ("/payer/email", "/units/*/to"))
    assert json.loads(shown["content"][0]["text"]) == shown["structuredContent"]
    assert EMAIL not in json.dumps(shown)


def test_nothing_is_touched_where_nothing_matches() -> None:
    """Prose, images and `_meta` pass with a structure that has no such place."""
    blocks = [{"type": "text", "text": "prose"}, {"type": "image", "data": "aGk=", "mimeType": "image/png"}]
    result = result_of(ORDER, *blocks, _meta={"a": 1})
    assert redact(result, ("/payer/iban",)) == result


OPAQUE = [
    {"type": "text", "text": f"The buyer is {EMAIL}."},
    {"type": "text", "text": json.dumps(EMAIL)},
    {"type": "text", "text": f'{{"broken": "{EMAIL}"'},
    {"type": "text", "text": "[" * 3000 + json.dumps(EMAIL) + "]" * 3000},
    {"type": "text", "text": "", "_meta": {"x": EMAIL}},
    {"type": "resource", "resource": {"uri": "a:b", "text": json.dumps(ORDER)}},
    {"type": "resource", "resource": {"uri": f"mail:{EMAIL}", "blob": "aGk="}},
    {"type": "resource_link", "uri": "a:b", "name": EMAIL},
    {"type": "image", "data": EMAIL, "mimeType": "image/png"},
    {"type": "text", "text": json.dumps({"wrapped": ORDER})},
    {"type": "text", "text": json.dumps([ORDER])},
    {"type": "text", "text": [EMAIL]},
    {"text": json.dumps(ORDER)},
    {"type": "new", "anything": EMAIL},
    EMAIL,
    [EMAIL],
    None,
]


@pytest.mark.parametrize("block", OPAQUE)
def test_what_no_pointer_looks_into_does_not_say_what_is_masked(block: Any) -> None:
    """Once something was masked, prose, foreign blocks and differing copies are masked whole."""
    shown = redact(result_of(ORDER, block, text_of(ORDER)), ("/payer/email", "/units/*/to"))
    assert shown["content"][0] == MASKED_BLOCK
    assert EMAIL not in json.dumps(shown)


@pytest.mark.parametrize("block", OPAQUE[:9])
def test_what_cannot_be_looked_into_at_all_is_masked(block: Any) -> None:
    """Without a structure nobody can tell what the prose says: the policy wanted something hidden, so all of it is."""
    shown = redact({"content": [block], "_meta": {"x": EMAIL}}, ("/payer/email",))
    assert shown == {"content": [MASKED_BLOCK]}


def test_a_text_document_without_a_structure_is_masked_by_pointer() -> None:
    """As an older server answers."""
    shown = redact(
        {"content": [text_of(ORDER), {"type": "text", "text": "prose"}]}, ("/payer/email", "/units/0/to")
    )
    assert json.loads(shown["content"][0]["text"])["payer"] == {"email": MASK, "name": "Bo"}
    assert shown["content"][1] == MASKED_BLOCK
    assert EMAIL not in json.dumps(shown)


@pytest.mark.parametrize("member", ["_meta", "note", "toolResult"])
def test_other_members_go_where_something_is_masked(member: str) -> None:
    """Nobody knows what they repeat."""
    shown = redact(result_of(**{member: {"copy": EMAIL}}), ("/payer/email", "/units/*/to"))
    assert member not in shown
    assert shown["isError"] is False


def test_annotations_of_a_text_go_too() -> None:
    """A block's own `_meta` is a place like any other."""
    block = {**text_of(ORDER), "_meta": {"copy": EMAIL}, "annotations": {"audience": [EMAIL]}}
    shown = redact(result_of(ORDER, block), ("/payer/email", "/units/*/to"))
    assert set(shown["content"][0]) == {"type", "text"}


@pytest.mark.parametrize("structured", [EMAIL, 5, None, True])
def test_a_structured_part_that_is_no_structure_is_masked(structured: Any) -> None:
    """It is no MCP result; what it says, no pointer can name."""
    shown = redact({"content": [], "structuredContent": structured}, ("/payer/email",))
    assert shown == {"content": [], "structuredContent": MASK}


@pytest.mark.parametrize("content", [EMAIL, {"text": EMAIL}, None])
def test_a_content_that_is_no_list_is_masked(content: Any) -> None:
    """Likewise."""
    assert redact({"content": content}, ("/a",)) == {"content": [MASKED_BLOCK]}


def test_a_member_that_is_there_twice_is_there_once_afterwards() -> None:
    """A reader that takes the first of two would see what was masked in the last."""
    twice = '{"payer": {"email": "' + EMAIL + '"}, "payer": {}}'
    shown = redact({"content": [{"type": "text", "text": twice}]}, ("/payer/email",))
    assert EMAIL not in json.dumps(shown)


def test_the_same_value_elsewhere_is_not_hidden_by_a_pointer() -> None:
    """A pointer names a place, not a value: the policy has to name the note too. Said in the module, held here."""
    document = {"payer": {"email": EMAIL}, "note": f"for {EMAIL}"}
    assert redact(result_of(document), ("/payer/email",))["structuredContent"]["note"] == f"for {EMAIL}"


def test_the_input_is_left_untouched() -> None:
    """It may be recorded, or masked for somebody else."""
    result = result_of()
    before = copy.deepcopy(result)
    redact(result, ("/payer", "/units/*"))
    assert result == before


KEYS = st.sampled_from(["a", "b", "c~d", "e/f", "*", "0"])
LEAVES = st.integers(0, 9) | st.sampled_from(["x", "", "y z"]) | st.none() | st.booleans()
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
SECRET = "s3cret-value-that-nothing-else-holds"
BLOCKS = st.sampled_from(
    [
        {"type": "text", "text": f"prose with {SECRET}"},
        {"type": "resource", "resource": {"uri": "u", "text": SECRET}},
        {"type": "text", "text": json.dumps({"other": SECRET})},
        {"type": "text", "text": '"' + SECRET + '"'},
    ]
)


def planted(document: Any, path: list[Any]) -> tuple[Any, str]:
    """The document with the secret at the end of a path into it, and the pointer to that place."""
    if isinstance(document, dict) and path:
        key = path[0]
        inner, pointer = planted(document.get(key), path[1:])
        return {**document, key: inner}, "/" + key.replace("~", "~0").replace("/", "~1") + pointer
    if isinstance(document, list) and document and path:
        inner, pointer = planted(document[0], path[1:])
        return [inner, *document[1:]], "/0" + pointer
    return SECRET, ""


@given(
    st.dictionaries(KEYS, DOCUMENTS, max_size=3),
    st.lists(KEYS, min_size=1, max_size=4),
    st.lists(BLOCKS, max_size=3),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_no_masked_value_survives_anywhere(
    document: dict[str, Any],
    path: list[str],
    blocks: list[Any],
    structured: bool,  # noqa: FBT001
) -> None:
    """Wherever the secret stands, the pointer to it takes it out of structure, copies, prose, resources and `_meta`."""
    marked, pointer = planted(document, path)
    result: dict[str, Any] = {"content": [text_of(marked), *blocks], "_meta": {"copy": SECRET}}
    if structured:
        result["structuredContent"] = marked
    shown = redact(result, (pointer,))
    if structured or not any("other" in json.dumps(block) for block in blocks):
        assert SECRET not in json.dumps(shown)
