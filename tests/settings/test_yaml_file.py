"""The settings file."""

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings.yaml_file import read_yaml


def read(folder: Path, text: str | bytes) -> dict[str, object]:
    """The document of this text."""
    path = folder / "countersign.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(path)


def refusal(folder: Path, text: str | bytes) -> str:
    """Why it is refused; the file is named."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    assert "countersign.yaml" in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n"])
def test_an_empty_file_sets_nothing(tmp_path: Path, text: str) -> None:
    """And is no mistake."""
    assert read(tmp_path, text) == {}


def test_an_empty_section_sets_nothing(tmp_path: Path) -> None:
    """Whoever comments out the last line of a section has not broken the file."""
    assert read(tmp_path, "paypal:\n  # client_id: x\nlisten: a\n") == {"paypal": {}, "listen": "a"}


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2\n", "x: {b: 1, b: 1}\n", "x:\n  - {c: 1, 'c': 2}\n", "1: a\n1: b\n"]
)
def test_a_key_stands_once(tmp_path: Path, text: str) -> None:
    """At every depth; the line is named."""
    said = refusal(tmp_path, text)
    assert "stands twice" in said
    assert "line" in said


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "\tx: 1",
        "? [a]\n: b",
        "? {a: 1}\n: b",
        "a: !!python/object/apply:os.system ['true']",
        "a: &x 1\nb: *y",
        "a: {<<: {b: 1}}",
        b"\xff\xfe\x00",
        b"\x00",
        "a: 2026-99-99",
        "a: 1\n---\nb: 2\n",
        "[" * 5_000,
    ],
)
def test_what_is_no_plain_yaml_is_refused(tmp_path: Path, text: str | bytes) -> None:
    """One line each, no traceback, nothing executed."""
    assert "\n" not in refusal(tmp_path, text)


@pytest.mark.parametrize("text", ["- a\n", "word\n", "7\n"])
def test_the_top_level_is_a_mapping(tmp_path: Path, text: str) -> None:
    """A list or a word sets nothing."""
    assert "mapping" in refusal(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """And so is a folder in its place."""
    with pytest.raises(SettingsError, match=r"nowhere\.yaml: cannot be read: No such file"):
        read_yaml(tmp_path / "nowhere.yaml")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        'paypal: {client_secret: "hunter2-hunter2',
        "paypal: {client_secret: 'hunter2-hunter2}\nlisten: x\n",
        "paypal:\n  client_secret: hunter2-hunter2: x\n",
        "paypal:\n  client_secret: {hunter2-hunter2\n",
        "paypal:\n  client_secret: *hunter2\n",
    ],
)
def test_a_broken_line_is_not_quoted(tmp_path: Path, text: str) -> None:
    """It may hold the very secret whose quotes are missing."""
    assert "hunter2-hunter2" not in refusal(tmp_path, text)
