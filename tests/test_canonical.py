"""RFC 8785 bytes and the hash over them."""

import hashlib
import json
import math
import struct
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.canonical import canonical_bytes, canonical_hash
from gateway.door.strict_json import MAX_SAFE_INTEGER, parse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=15,
)


def shuffled(document: Any) -> Any:
    """The same document with the members of every object the other way round."""
    if isinstance(document, dict):
        return {key: shuffled(document[key]) for key in reversed(document)}
    if isinstance(document, list):
        return [shuffled(one) for one in document]
    return document


def test_the_sample_of_the_rfc() -> None:
    """RFC 8785 section 3.2.2: the sample object, and the bytes section 3.2.4 gives for it."""
    sample = (
        r'{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],'
        r' "string": "\u20ac$\u000F\u000aA'
        "'"
        r'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}'
    )
    assert canonical_bytes(json.loads(sample)) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_members_are_sorted_as_utf16() -> None:
    """RFC 8785 section 3.2.3: the order of the sample keys, which code points would order differently."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    order = list(json.loads(canonical_bytes(dict.fromkeys(keys, 0))))
    assert order == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("bits", "text"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_numbers_are_written_as_the_appendix_says(bits: str, text: str) -> None:
    """RFC 8785 appendix B: doubles by their bits, and their text."""
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_bytes(value).decode() == text


@given(document=DOCUMENTS)
@settings(max_examples=150)
def test_equal_documents_hash_equal_whatever_their_order(document: Any) -> None:
    """Member order, spacing and escapes of the text are not part of what was asked."""
    expected = canonical_hash(document)
    assert canonical_hash(shuffled(document)) == expected
    assert canonical_hash(json.loads(json.dumps(document, indent=2, ensure_ascii=True))) == expected
    assert expected == hashlib.sha256(canonical_bytes(document)).hexdigest()


def whole_and_large(document: Any) -> bool:
    """Whether a float stands in it that ECMAScript writes with integer digits beyond 2^53-1 (1e17)."""
    if isinstance(document, dict | list):
        return any(
            whole_and_large(one) for one in (document.values() if isinstance(document, dict) else document)
        )
    return isinstance(document, float) and abs(document) > MAX_SAFE_INTEGER


@given(document=DOCUMENTS.filter(lambda one: not whole_and_large(one)))
@settings(max_examples=150)
def test_the_canonical_bytes_say_the_same_document(document: Any) -> None:
    """Nothing is lost: reading them gives the document back, and writing that again gives the same bytes."""
    written = canonical_bytes(document)
    again = json.loads(written, parse_int=float)
    assert again == document
    assert canonical_bytes(again) == written


@given(one=DOCUMENTS, other=DOCUMENTS)
@settings(max_examples=150)
def test_different_documents_hash_differently(one: Any, other: Any) -> None:
    """True is not 1 and an absent member is not a null one; 1.0 and 1 are one number."""

    def spelled(value: Any) -> str:
        if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
            return str(int(value))
        if isinstance(value, dict):
            return "{" + ",".join(f"{key!r}:{spelled(value[key])}" for key in sorted(value)) + "}"
        if isinstance(value, list):
            return "[" + ",".join(spelled(each) for each in value) + "]"
        return repr(value)

    assert (canonical_hash(one) == canonical_hash(other)) == (spelled(one) == spelled(other))


def test_every_character_is_escaped_as_the_rfc_says() -> None:
    """RFC 8785 section 3.2.2.2: the seven short escapes, lower-case \\u00xx for other controls, nothing else."""
    text = "".join(map(chr, [*range(0x180), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0x1F600, 0x10FFFF]))
    assert canonical_bytes([text, {text[:0x80]: 1}]) == rfc8785.dumps([text, {text[:0x80]: 1}])


@pytest.mark.parametrize(
    "document",
    [math.nan, math.inf, -math.inf, 2**53, -(2**53), "\ud800", {"\udfff": 1}, {1: 2}, {"a": ...}, b"x"],
    ids=repr,
)
def test_what_has_no_canonical_form_is_refused(document: Any) -> None:
    """And the refusal does not repeat the document."""
    with pytest.raises(ValueError, match="canonicalise"):
        canonical_bytes({"value": document})


def test_a_bottomless_document_is_refused() -> None:
    """The recursion of the serialiser ends in ValueError, not in a stack trace."""
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="canonicalise"):
        canonical_bytes(deep)


def test_a_parsed_call_hashes_as_its_text_hashes() -> None:
    """The two halves fit: strict parse, then hash; 12.00 and 12.0 are the same amount, "12.00" is another value."""
    assert canonical_hash(parse(b'{"b":12.00,"a":1}')) == canonical_hash(parse(b'{ "a": 1, "b": 12.0 }'))
    assert canonical_hash(parse(b'{"b":"12.00"}')) != canonical_hash(parse(b'{"b":12.00}'))


_PLAIN_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _PLAIN_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_PLAIN_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(_DOCUMENTS)
def test_the_quick_way_and_the_library_give_the_same_bytes(document: object) -> None:
    """Whatever the document, the bytes are those of the RFC 8785 library: the quick way is only quicker."""
    assert canonical_bytes(document) == rfc8785.dumps(document)  # type: ignore[arg-type]  # any JSON value
