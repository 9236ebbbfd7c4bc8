"""Data files mean the same to every reader, or are refused."""

import pytest

from gateway.policy.data_file import DataFileError, parse_json, parse_yaml


def test_what_everybody_reads_alike() -> None:
    """Strings, JSON numbers, true, false, null, lists and objects."""
    text = 'a: "x"\nb: [1, -2.5, 1.5e+3, true, false, null, ~x, plain text]\nc: {d: }\n'
    assert parse_yaml(text) == {
        "a": "x",
        "b": [1, -2.5, 1500.0, True, False, None, "~x", "plain text"],
        "c": {"d": None},
    }


AMBIGUOUS = (
    *("NO", "yes", "on", "Off", "True", "NULL", "~", "="),
    *("0x1F", "0o17", "017", "1_000", "1:30", ".5", "1.", "+1", "1e3", ".inf", ".nan"),
    *("2026-01-01", "2026-01-01T00:00:00Z"),
    *("!!binary eA==", "!!set {a}", "!!python/name:os.system"),
)


@pytest.mark.parametrize("text", AMBIGUOUS)
def test_scalars_that_readers_disagree_about(text: str) -> None:
    """The Norway problem: `NO` is a country, or false. Such a value is refused until it is quoted."""
    with pytest.raises(DataFileError):
        parse_yaml(f"a: {text}\n")
    if not text.startswith("!"):
        assert parse_yaml(f'a: "{text}"\n') == {"a": text}


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "a: {b: 1, b: 2}\n", "1: x\n", "true: x\n", "? [a]\n: b\n"])
def test_keys(text: str) -> None:
    """A key that stands twice or that is no string is refused: the last or the first would win."""
    with pytest.raises(DataFileError):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["- a\n", "x\n", "a: [\n", "a: 1\n---\nb: 2\n", "a: &x [*x]\n"])
def test_other_documents(text: str) -> None:
    """A data file is one object."""
    with pytest.raises((DataFileError, RecursionError)):
        parse_yaml(text)


def test_what_is_no_yaml_is_said_with_its_line() -> None:
    """The last line that could be read is where an author looks."""
    with pytest.raises(DataFileError, match=r"^not YAML: line 3: expected the node content"):
        parse_yaml("a: 1\nb: [1,\n  - [\n")


def test_json() -> None:
    """JSON is JSON, without duplicate keys and without YAML's liberties."""
    assert parse_json('{"a": [1, "NO"]}') == {"a": [1, "NO"]}
    for text in ('{"a": 1, "a": 2}', "{a: 1}", "[]", '{"a": NaN}'):
        with pytest.raises(DataFileError):
            parse_json(text)
