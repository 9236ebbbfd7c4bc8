"""The one parser for what strangers send."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.door.strict_json import MAX_DEPTH, MAX_NUMBER_CHARS, MAX_SAFE_INTEGER, parse
from gateway.errors import PARSE_ERROR, MalformedRequest

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER) | st.floats(
    allow_nan=False, allow_infinity=False
).filter(lambda one: not (one == 0 and math.copysign(1, one) < 0))
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def refused(body: bytes) -> str:
    """The code with which a body is refused."""
    with pytest.raises(MalformedRequest) as caught:
        parse(body)
    assert caught.value.rpc_code == PARSE_ERROR
    assert caught.value.http_status == 400
    return caught.value.code


@given(document=DOCUMENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
@settings(max_examples=200)
def test_what_two_parsers_agree_on_comes_through_unchanged(
    document: Any,
    ascii_only: bool,  # noqa: FBT001 - drawn
    indent: int | None,
) -> None:
    """Every I-JSON document, however it is escaped and spaced, is read as the standard library reads it."""
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    read = parse(body)
    assert read == document
    assert json.dumps(read) == json.dumps(document)


@given(
    body=st.binary(max_size=60)
    | st.text('[]{}",:0123456789.eE+-truefalsn\\u \n', max_size=60).map(str.encode)
)
@settings(max_examples=200)
def test_nothing_is_read_that_the_standard_library_refuses(body: bytes) -> None:
    """Whatever comes, the answer is the standard library's document or MalformedRequest, never another exception."""
    with suppress(MalformedRequest):
        assert parse(body) == json.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"b":2,"a":3}',
        b'{"a":1,"\\u0061":2}',
        b'[[{"x":{"deep":[{"k":0,"k":0}]}}]]',
        b'{"":1,"":2}',
    ],
)
def test_a_key_stands_once_at_every_depth(body: bytes) -> None:
    """Of two equal keys one parser takes the first and another the last; escapes do not hide the equality."""
    assert refused(body) == "door.duplicate_key"


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "9007199254740992",
        "-9007199254740992",
        "-0",
        "-0.0",
        "0.1234567890123456789",
        "9007199254740993.0",
        "1e-400",
        "1e-99999999999999999999",
        "1" * (MAX_NUMBER_CHARS + 1),
        "0." + "1" * MAX_NUMBER_CHARS,
    ],
)
def test_numbers_that_another_parser_would_read_differently_are_refused(number: str) -> None:
    """Not JSON, not finite, beyond a double, or two spellings of zero."""
    assert refused(f'{{"amount":{number}}}'.encode()) == "door.number"


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("0", 0),
        ("12.00", 12.0),
        ("-0.05", -0.05),
        ("1e2", 100.0),
        ("1E+2", 100.0),
        ("0.1", 0.1),
        ("9007199254740991", MAX_SAFE_INTEGER),
        ("5e-324", 5e-324),
        ("0e5", 0.0),
    ],
)
def test_honest_numbers_are_read(number: str, value: float) -> None:
    """Every spelling of a number that a double holds exactly, or as its shortest form."""
    assert parse(number.encode()) == value


@pytest.mark.parametrize("text", [b'"\\ud800"', b'{"\\udfff":1}', b'["\\ud83d x"]', b'"\\ude00\\ud83d"'])
def test_a_lone_surrogate_is_no_character(text: bytes) -> None:
    """In values and in keys; a pair in the right order is one."""
    assert refused(text) == "door.surrogate"
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "body", [b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b'{"a":"\xc3\x28"}', b'"\xed\xa0\x80"', b"\xc0\xaf"]
)
def test_only_plain_utf8_is_read(body: bytes) -> None:
    """No byte order mark, no UTF-16, no overlong form, no surrogate in UTF-8."""
    assert refused(body) == "door.encoding"


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"{}{}", b"[1,]", b"{'a':1}", b'{"a"}', b"\x00{}", b'"\n"', b"nul", b"[01]", b"// {}"],
)
def test_what_is_no_json_is_refused_without_quoting_it(body: bytes) -> None:
    """One code for all of it."""
    assert refused(body) == "door.json"


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_the_depth_is_bounded_exactly(opening: str, closing: str) -> None:
    """The bound counts both kinds of brackets, and a bracket in a string is none."""
    per = opening.count("[") + opening.count("{")
    deepest = MAX_DEPTH // per
    brackets = '"' + "[" * 500 + '\\"{"'
    assert parse((opening * deepest + brackets + closing * deepest).encode()) is not None
    assert refused((opening * (deepest + 1) + "1" + closing * (deepest + 1)).encode()) == "door.depth"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b"[" * 250_000 + b"]" * 250_000,
        b'{"a":' * 100_000,
        b"]" * 200 + b"[" * 500,
        b'["' + b'\\"' * 250_000,
        b'"' * 300_001,
        b"[" * 70 + b'"\\',
        b"[]," * 70 + b'"' + b'\\"' * 250_000,
    ],
)
def test_hostile_nesting_is_refused_in_linear_time(body: bytes) -> None:
    """Half a megabyte of brackets or quotes needs no stack, and not its square of steps: that would take minutes, and
    run into the limit every test has."""
    assert refused(body) in {"door.depth", "door.json"}


def test_the_refusal_does_not_repeat_what_it_refuses() -> None:
    """An error text is no place for the caller's words, beyond the name of a key that stands twice, cut."""
    with pytest.raises(MalformedRequest) as caught:
        parse(b'{"card": "4111111111111111",}')
    assert "4111" not in caught.value.message
    with pytest.raises(MalformedRequest) as caught:
        parse(json.dumps({"k" * 500: 1}).encode()[:-1] + b',"' + b"k" * 500 + b'":2}')
    assert len(caught.value.message) < 200
