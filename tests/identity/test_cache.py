"""The cache of verified tokens."""

import pytest

from gateway.identity.cache import MAX_AGE_S, VerifiedTokens
from gateway.identity.caller import Caller
from gateway.identity.jwk import VerificationKey

ALICE = Caller(issuer="https://a.example", subject="alice")
NOW = 1_795_224_000.0
FAR = int(NOW) + 3600


class Generations:
    """A key source whose keys can be withdrawn."""

    def __init__(self) -> None:
        self.generation = 0

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """No keys here."""
        return None


def cached(expires: int = FAR, keys: Generations | None = None) -> VerifiedTokens:
    """A cache that holds one token."""
    cache = VerifiedTokens()
    cache.put(b"t", ALICE, expires=expires, now=NOW, keys=keys or Generations(), generation=0)
    return cache


def test_a_token_is_remembered() -> None:
    """The point of it."""
    assert cached().get(b"t", NOW) == ALICE
    assert cached().get(b"u", NOW) is None


@pytest.mark.parametrize(("expires", "until"), [(FAR, NOW + MAX_AGE_S), (int(NOW) + 5, NOW + 5)])
def test_an_entry_ends_with_the_token_or_after_a_minute(expires: int, until: float) -> None:
    """Whichever comes first (R153)."""
    cache = cached(expires)
    assert cache.get(b"t", until - 0.001) == ALICE
    assert cache.get(b"t", until) is None
    assert len(cache) == 0


def test_a_clock_set_back_does_not_prolong_an_entry() -> None:
    """Otherwise an hour back would be an hour of extra life."""
    assert cached().get(b"t", NOW - 3600) is None


def test_an_entry_ends_when_a_key_is_withdrawn() -> None:
    """A cached result never outlives its key (R153)."""
    keys = Generations()
    cache = cached(keys=keys)
    keys.generation += 1
    assert cache.get(b"t", NOW) is None


def test_a_revoked_token_is_forgotten() -> None:
    """Also one that was never there."""
    cache = cached()
    cache.forget(b"t")
    cache.forget(b"u")
    assert cache.get(b"t", NOW) is None


def test_the_least_recently_used_goes_first() -> None:
    """Bounded, and by use, not by insertion (C41)."""
    cache, keys = VerifiedTokens(max_tokens=2), Generations()
    for name in (b"a", b"b"):
        cache.put(name, ALICE, expires=FAR, now=NOW, keys=keys, generation=0)
    assert cache.get(b"a", NOW) == ALICE
    cache.put(b"c", ALICE, expires=FAR, now=NOW, keys=keys, generation=0)
    assert cache.get(b"b", NOW) is None
    assert cache.get(b"a", NOW) == cache.get(b"c", NOW) == ALICE
    with pytest.raises(ValueError, match="at least one"):
        VerifiedTokens(max_tokens=0)
