"""What is kept is found by everything it depends on, and by nothing less."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from gateway.catalog.definition import read_definition
from gateway.catalog.tool import Etdi
from gateway.catalog.verification import Verdict
from gateway.etdi.cache import VerdictCache, hashed, key_of
from gateway.etdi.trust import Trust
from tests.support.tool_tokens import issuer, tool, wire

TRUST = Trust([issuer()])


def verdict() -> Verdict:
    """Any."""
    return Verdict(etdi=Etdi())


def key(n: int) -> bytes:
    """A key."""
    return n.to_bytes(32)


def test_the_least_recently_used_goes_first() -> None:
    """Not the oldest (C41)."""
    cache = VerdictCache(3)
    for n in (1, 2, 3):
        cache.put(key(n), verdict(), tool=b"")
    assert cache.get(key(1)) is not None
    cache.put(key(4), verdict(), tool=b"")
    assert [n for n in (1, 2, 3, 4) if cache.get(key(n)) is not None] == [1, 3, 4]
    assert len(cache) == 3
    with pytest.raises(ValueError):
        VerdictCache(0)


def test_one_tool_is_forgotten_and_no_other() -> None:
    """``a`` is not ``a:b`` (R151)."""
    cache = VerdictCache(9)
    cache.put(key(1), verdict(), tool=hashed("a"))
    cache.put(key(2), verdict(), tool=hashed("a:b"))
    cache.put(key(3), verdict(), tool=hashed("a"))
    cache.forget_tool("a")
    assert [n for n in (1, 2, 3) if cache.get(key(n)) is not None] == [2]
    cache.drop(key(2))
    cache.drop(key(2))
    assert len(cache) == 0
    cache.put(key(1), verdict(), tool=b"")
    cache.clear()
    assert len(cache) == 0


OTHER: dict[str, dict[str, Any]] = {
    "token": {"oauth": {"token": "d.e.f", "provider": "idp"}},
    "OAuth provider": {"oauth": {"token": "a.b.c", "provider": "https://idp.example.com/"}},
    "tool": {"id": "bank.other"},
    "version": {"version": "1.0.1"},
    "provider": {"provider": {"id": "mallory"}},
    "fewer permissions": {"permissions": ["bank:pay"]},
    "more permissions": {"permissions": ["bank:pay", "bank:read", "admin"]},
    "signature": {"signature": "c2ln"},
    "key id": {"keyId": "x"},
    "text": {"note": "anything that the hash covers"},
}


@pytest.mark.parametrize("members", OTHER.values(), ids=OTHER)
def test_whatever_differs_is_another_question(members: dict[str, Any]) -> None:
    """C25."""
    oauth = {"token": "a.b.c", "provider": "idp"}
    one = read_definition(wire(oauth=oauth))
    other = read_definition(wire(**{"oauth": oauth, **members}))
    assert key_of(one, TRUST) == key_of(read_definition(wire(oauth=oauth)), TRUST)
    assert key_of(one, TRUST) != key_of(other, TRUST)


def test_another_audience_or_issuer_is_another_question() -> None:
    """Also when the name in the definition stays the same."""
    one = tool("a.b.c")
    keys = {
        key_of(one, Trust([trusted]))
        for trusted in (
            issuer(),
            issuer(audience="https://other.example.com"),
            issuer(issuer="https://other.example.com/"),
        )
    }
    assert len(keys) == 3


def test_keys_are_not_ambiguous() -> None:
    """Attack: parts that run into each other, as with colons between them."""
    one = read_definition(wire(id="a", version="1.0.0", permissions=["b", "c"]))
    other = read_definition(wire(id="a", version="1.0.0", permissions=["b,c"]))
    assert key_of(one, TRUST) != key_of(other, TRUST)


def test_an_entry_is_small() -> None:
    """Less than 4 kB a tool, and the token is not in it."""
    cache, count = VerdictCache(10_000), 1000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for n in range(count):
        made = Verdict(etdi=Etdi(error=f"error-{n}"), since=float(n), until=float(n + 1))
        cache.put(key(n), made, tool=hashed(str(n)))
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (after - before) / count < 4096
