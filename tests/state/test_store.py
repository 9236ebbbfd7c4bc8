"""The bounds that both stores share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.state.store import MAX_KEY_BYTES, Space, key_bytes, key_text, ttl_ms


@pytest.mark.parametrize(("ttl_s", "ms"), [(30, 30_000), (0.1 + 0.2, 300), (0.0001, 1), (1.0005, 1001)])
def test_seconds_become_whole_milliseconds(ttl_s: float, ms: int) -> None:
    """Rounded up, but not because of a float's last digit."""
    assert ttl_ms(ttl_s) == ms


@given(st.text(min_size=1, max_size=MAX_KEY_BYTES // 4))
def test_keys_read_back(key: str) -> None:
    """Any text is a key, and two texts are two keys."""
    assert key_text(key_bytes(key)) == key


def test_no_space_can_be_mistaken_for_another() -> None:
    """Redis separates space and key by a colon, so no space has one."""
    assert not [space for space in Space if ":" in space.value]
