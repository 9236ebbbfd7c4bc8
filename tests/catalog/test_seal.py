"""The seal: whoever has no key can neither read nor write nor move a record."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.catalog.seal import GENERATED, Broken, Flaw, Seal, generated_key, key_of, sealed

KEY, OTHER = b"k" * 32, b"o" * 32
SEAL = Seal(KEY)


def flaw(seal: Seal, name: str, value: bytes) -> Flaw:
    """Why it does not open."""
    with pytest.raises(Broken) as caught:
        seal.open(name, value)
    return caught.value.flaw


@given(st.binary(max_size=200), st.text(max_size=20).filter(lambda name: name.isprintable()))
def test_what_was_sealed_opens_in_its_place(plain: bytes, name: str) -> None:
    """And nowhere else."""
    value = SEAL.close(name, plain)
    assert sealed(value)
    assert SEAL.open(name, value) == plain
    assert flaw(SEAL, f"{name}x", value) is Flaw.EDITED


@given(st.data())
def test_one_flipped_bit_is_found(data: st.DataObject) -> None:
    """Anywhere: in the head, in the nonce, in the text, in the tag."""
    value = bytearray(SEAL.close("n", b"approved"))
    at = data.draw(st.integers(0, len(value) * 8 - 1))
    value[at // 8] ^= 1 << at % 8
    with pytest.raises(Broken):
        SEAL.open("n", bytes(value))


@given(st.integers(0, 55))
def test_a_shortened_value_is_found(length: int) -> None:
    """No length makes it fall over."""
    with pytest.raises(Broken):
        SEAL.open("n", SEAL.close("n", b"approved")[:length])


def test_it_hides_what_it_seals() -> None:
    """And the same text twice is two values."""
    one, two = SEAL.close("n", b"ann approved this"), SEAL.close("n", b"ann approved this")
    assert b"ann" not in one
    assert one != two


def test_another_key_is_named_as_such() -> None:
    """An operator with two hosts and two keys learns what is wrong; an earlier key still opens."""
    value = Seal(OTHER).close("n", b"x")
    assert flaw(SEAL, "n", value) is Flaw.OTHER_KEY
    assert flaw(SEAL, "n", b'{"v":1}') is Flaw.NOT_SEALED
    both = Seal(KEY, [OTHER])
    assert both.open("n", value) == b"x"
    assert (both.current(value), both.current(both.close("n", b"x"))) == (False, True)


def test_a_mac_is_of_one_key_and_one_text() -> None:
    """Lines of the anchor under an earlier key still count."""
    mac = Seal(OTHER).mac(b"line")
    assert Seal(KEY, [OTHER]).vouches(b"line", mac)
    assert not SEAL.vouches(b"line", mac)
    assert not SEAL.vouches(b"other", SEAL.mac(b"line"))


def test_keys_as_they_are_configured() -> None:
    """64 hex digits, or base64 in either alphabet, with or without its padding."""
    key = bytes(range(224, 256))
    url = base64.urlsafe_b64encode(key).decode()
    for text in (
        key.hex(),
        key.hex().upper(),
        base64.b64encode(key).decode(),
        url,
        url.rstrip("="),
        f" {url}\n",
    ):
        assert key_of(text) == key


@pytest.mark.parametrize(
    "text", ["", "secret", "x" * 64, "a" * 63, base64.b64encode(b"k" * 31).decode(), "é" * 44]
)
def test_what_is_no_key(text: str) -> None:
    """A password is none: it could be guessed."""
    with pytest.raises(ValueError, match="32 random bytes"):
        key_of(text)


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """For its owner only."""
    made = generated_key(tmp_path / "new")
    assert generated_key(tmp_path / "new") == made
    assert (tmp_path / "new" / GENERATED).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in (tmp_path / "new").iterdir()] == [GENERATED]
