"""What the approver sees is what will be sent, and nothing in it hides."""

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.outcome.view import MAX_LINES, MAX_TEXT, NO_ARGUMENTS, NO_MONEY, View, render, visible
from gateway.policy.money import Money

MONEY = Money(amount="12.00", currency="USD", payee="shop@example.com", source="lookup")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAF = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
DOCUMENT = st.dictionaries(
    TEXT,
    st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)),
    max_size=4,
)


def view(arguments: dict[str, Any] | None = None, **members: Any) -> View:
    """The view of one payment."""
    return render(
        **{
            "server": "paypal",
            "tool": "pay",
            "arguments": {"a": "b"} if arguments is None else arguments,
            "money": MONEY,
            "asked_by": "agent (https://idp.example)",
            "reasons": ("because",),
            **members,
        }
    )


HIDING = {
    "right to left override": "\u202e",
    "left to right isolate": "\u2066",
    "arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "tag a": "\U000e0061",
    "variation selector": "\ufe0f",
    "variation selector 256": "\U000e01ef",
    "combining grapheme joiner": "\u034f",
    "combining overlay": "\u0336",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "hangul choseong filler": "\u115f",
    "hangul jungseong filler": "\u1160",
    "braille blank": "\u2800",
    "musical null notehead": "\U0001d159",
    "hieroglyph blank": "\U00013441",
    "khmer inherent vowel": "\u17b4",
    "mongolian vowel separator": "\u180e",
    "no-break space": "\u00a0",
    "ideographic space": "\u3000",
    "ogham space": "\u1680",
    "newline": "\n",
    "carriage return": "\r",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "tab": "\t",
    "nul": "\x00",
    "escape": "\x1b",
    "delete": "\x7f",
    "next line": "\x85",
    "private use": "\ue000",
    "unassigned": "\u0378",
    "noncharacter": "\uffff",
    "lone surrogate": "\ud800",
}


@pytest.mark.parametrize("char", HIDING.values(), ids=HIDING)
def test_what_cannot_be_seen_is_spelt_out(char: str) -> None:
    """As its code point, wherever it stands."""
    assert visible(f"pay{char}pal") == f"pay<U+{ord(char):04X}>pal"


@pytest.mark.parametrize("char", [one for one in HIDING.values() if one != "\ud800"])
def test_in_values_and_in_names(char: str) -> None:
    """A name is as hostile as a value: both lines are flagged, and so are server, tool, payee and asker."""
    value, name = view({"note": f"a{char}"}).lines[0], view({f"no{char}te": "a"}).lines[0]
    for line in (value, name):
        assert char not in line.path + line.value
        assert "invisible" in line.flags
    money = msgspec.structs.replace(MONEY, payee=f"shop{char}", currency=f"U{char}")
    shown = view(money=money, server=f"s{char}", tool=f"t{char}", asked_by=f"x{char}")
    for text in (shown.payee, shown.money, shown.server, shown.tool, shown.asked_by):
        assert char not in text
        assert "<U+" in text


@pytest.mark.parametrize(
    "plain", ["", "Zürich 12,50 €", "日本", "Ж", "~ !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}", "<U", "U+0041>"]
)
def test_what_can_be_seen_stays(plain: str) -> None:
    """Letters, digits, punctuation and symbols of any script."""
    assert visible(plain) == plain


@given(st.text(max_size=12), st.text(max_size=12))
@settings(max_examples=200, deadline=None)
def test_no_two_texts_look_alike(one: str, other: str) -> None:
    """Not even a text that spells out a code point, beside the character itself."""
    assert (visible(one) == visible(other)) == (one == other)


@given(st.lists(st.sampled_from(["<", "U", "+", "200B", ">", "\u200b", "003C", "<U+"]), max_size=8))
@settings(max_examples=200, deadline=None)
def test_a_spelt_out_code_point_is_not_taken_for_one(parts: list[str]) -> None:
    """What is shown can be read back to exactly one text."""
    text = "".join(parts)
    shown = visible(text)
    read, rest = "", shown
    while rest:
        end = rest.find(">")
        if rest.startswith("<U+") and end > 0:
            read, rest = read + chr(int(rest[3:end], 16)), rest[end + 1 :]
        else:
            read, rest = read + rest[0], rest[1:]
    assert read == text


@pytest.mark.parametrize("where", ["value", "name"])
def test_foreign_letters_are_flagged(where: str) -> None:
    """A Cyrillic a in a payee's name looks like ours."""
    arguments = {"payee": "p\u0430ypal"} if where == "value" else {"p\u0430yee": "paypal"}
    assert view(arguments).lines[0].flags == ("not_ascii", "lookalike")


def test_plain_lines_have_no_flags() -> None:
    """So that a flag means something."""
    assert all(line.flags == () for line in view({"a": "b", "n": [1, None, True, {}, []]}).lines)


@pytest.mark.parametrize("where", ["value", "name"])
def test_what_is_long_says_how_long(where: str) -> None:
    """It is cut, flagged, and its length and hash make two long texts that begin alike differ."""
    long = "x" * (MAX_TEXT + 1)
    line = view({"note": long} if where == "value" else {long: "a"}).lines[0]
    shown = line.value if where == "value" else line.path
    length = len(long) + (where == "name")
    assert "cut" in line.flags
    assert f"({length} characters, SHA-256 " in shown
    assert len(shown) < MAX_TEXT + 100
    other = view({"note": long + "y"} if where == "value" else {long + "y": "a"}).lines[0]
    assert other != line


def test_every_leaf_has_a_line_by_its_pointer() -> None:
    """Sorted by name, indices in order, empty containers shown as such."""
    arguments: dict[str, Any] = {"b": [{"x": 1}, "two"], "a": {}, "c/d~e": None, "": ""}
    assert [(line.path, line.value) for line in view(arguments).lines] == [
        ("/", ""),
        ("/a", "{}"),
        ("/b/0/x", "1"),
        ("/b/1", "two"),
        ("/c~1d~0e", "null"),
    ]


def test_an_empty_call_shows_that_it_is_empty() -> None:
    """In a line that no argument can imitate."""
    (line,) = view({}).lines
    assert line.path == NO_ARGUMENTS
    assert not NO_ARGUMENTS.startswith("/")


def test_a_call_that_nobody_can_judge_has_no_view() -> None:
    """One value too many; and a million are not even looked at."""
    view({"a": ["x"] * MAX_LINES})
    for many in (MAX_LINES + 1, 100_000):
        with pytest.raises(ValueError, match="nobody can judge"):
            view({"a": ["x"] * many})


@pytest.mark.parametrize("bad", [{"a": "\ud800"}, {"\ud800": 1}, {"a": float("nan")}, {"a": 2**60}])
def test_a_call_without_a_canonical_form_has_no_view(bad: dict[str, Any]) -> None:
    """Nobody could say what was signed."""
    with pytest.raises(ValueError, match="canonicalise"):
        view(bad)


@pytest.mark.parametrize(
    ("money", "said"),
    [
        (None, (NO_MONEY, "not named in the call")),
        (Money(), ("AMOUNT UNKNOWN", "not named in the call")),
        (Money(payee="x"), ("AMOUNT UNKNOWN", "x")),
        (MONEY, ("12.00 USD", "shop@example.com")),
    ],
)
def test_the_amount_is_said_first(money: Money | None, said: tuple[str, str]) -> None:
    """An amount that nobody knows is said loudly."""
    shown = view(money=money)
    assert (shown.money, shown.payee) == said


def test_a_reworded_reason_does_not_unsay_a_signature() -> None:
    """Reasons are shown and not hashed."""
    assert view(reasons=("a",)).view_hash == view(reasons=("b", "c")).view_hash
    assert view(reasons=("a",)).reasons == ("a",)


@pytest.mark.parametrize(
    "change",
    [
        {"server": "other"},
        {"tool": "other"},
        {"asked_by": "other"},
        {"money": None},
        {"money": msgspec.structs.replace(MONEY, amount="12.01")},
        {"money": msgspec.structs.replace(MONEY, currency="EUR")},
        {"money": msgspec.structs.replace(MONEY, payee="other")},
    ],
)
def test_whatever_would_be_sent_to_whom_is_in_the_hash(change: dict[str, Any]) -> None:
    """One difference, another hash."""
    assert view(**change).view_hash != view().view_hash


@given(DOCUMENT)
@settings(max_examples=100, deadline=None)
def test_the_hash_is_stable(arguments: dict[str, Any]) -> None:
    """The order of members and a way through JSON change nothing."""
    turned = dict(reversed(json.loads(json.dumps(arguments)).items()))
    assert view(turned) == view(arguments)


@given(DOCUMENT, DOCUMENT)
@settings(max_examples=200, deadline=None)
def test_different_arguments_have_different_hashes(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Also where the lines look the same."""
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (view(one).view_hash == view(other).view_hash) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 12}, {"a": "12"}),
        ({"a": True}, {"a": "true"}),
        ({"a": None}, {"a": "null"}),
        ({"a": {}}, {"a": "{}"}),
        ({"a": ["x"]}, {"a": {"0": "x"}}),
        ({}, {"": {}}),
    ],
)
def test_look_alikes_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    """The pairs that lines alone cannot tell apart."""
    assert view(one).view_hash != view(other).view_hash


def test_the_arguments_are_left_as_they_are() -> None:
    """Looking changes nothing."""
    arguments = {"a": {"b": ["\u202e"]}}
    before = copy.deepcopy(arguments)
    view(arguments)
    assert arguments == before
