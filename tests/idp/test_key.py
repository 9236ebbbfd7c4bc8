"""States of signing keys, and what rotation and revocation make of them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.jwk import jwk_thumbprint, parse_key_set
from gateway.idp.errors import IdpRefused
from gateway.idp.key import GRACE_S, MAX_HISTORY, MAX_LIFETIME_S, IdpKey, KeyRing, KeyState
from gateway.idp.key_files import new_private_key, public_jwk

NOW = 1_800_000_000
PROPAGATION_S = 900
_JWK = public_jwk(new_private_key("ES256"))


def key(kid: str) -> IdpKey:
    """A key that exists; when it signs is the ring's affair."""
    return IdpKey(kid=kid, algorithm="ES256", jwk=_JWK, created=0, active_from=0, by="ops")


def ring_of(first: str = "one") -> KeyRing:
    """A ring whose first key signs since NOW."""
    return KeyRing().rotated(key(first), NOW, propagation_s=PROPAGATION_S)


def states(ring: KeyRing, now: float) -> dict[str, str]:
    """Each key's state."""
    return {one.kid: one.state(now).value for one in ring.keys}


def test_the_first_key_signs_at_once() -> None:
    """Nobody keeps a set in which it is missing."""
    assert states(ring_of(), NOW) == {"one": "active"}


def test_a_successor_is_published_before_it_signs_and_its_predecessor_vouches_until_its_tokens_are_over() -> (
    None
):
    """C35, second by second."""
    ring = ring_of().rotated(key("two"), NOW + 10, propagation_s=PROPAGATION_S)
    change = NOW + 10 + PROPAGATION_S
    assert states(ring, change - 1) == {"one": "active", "two": "published"}
    assert {one.kid for one in ring.vouching(change - 1)} == {"one", "two"}
    assert states(ring, change) == {"one": "retired", "two": "active"}
    last_token_expires = change - 1 + MAX_LIFETIME_S
    assert {one.kid for one in ring.vouching(last_token_expires)} == {"one", "two"}
    assert {one.kid for one in ring.vouching(change + GRACE_S)} == {"two"}
    assert [one.kid for one in ring.keys] == ["one", "two"], "the history keeps it, with its dates"
    assert ring.keys[0].retired_at == change


def test_two_rotations_do_not_overlap() -> None:
    """The second would end a key that nobody has seen sign."""
    ring = ring_of().rotated(key("two"), NOW, propagation_s=PROPAGATION_S)
    with pytest.raises(IdpRefused) as refused:
        ring.rotated(key("three"), NOW + 1, propagation_s=PROPAGATION_S)
    assert refused.value.code == "idp.rotation_under_way"


def test_a_waiting_key_can_be_hastened() -> None:
    """It signs now, the other one retires now."""
    ring = ring_of().rotated(key("two"), NOW, propagation_s=PROPAGATION_S).hastened(NOW + 5)
    assert states(ring, NOW + 5) == {"one": "retired", "two": "active"}


def test_the_revoked_active_key_is_replaced_at_once() -> None:
    """It vouches for nothing, and somebody signs."""
    ring = ring_of().revoked("one", NOW + 5, reason="stolen", replacement=key("two"))
    assert states(ring, NOW + 5) == {"one": "revoked", "two": "active"}
    assert [one.kid for one in ring.vouching(NOW + 5)] == ["two"]
    assert (ring.keys[0].revoked_at, ring.keys[0].reason) == (NOW + 5, "stolen")


def test_the_revoked_active_key_is_followed_by_the_one_that_waits() -> None:
    """The replacement is not needed."""
    ring = ring_of().rotated(key("two"), NOW, propagation_s=PROPAGATION_S)
    ring = ring.revoked("one", NOW + 5, reason="stolen", replacement=key("three"))
    assert states(ring, NOW + 5) == {"one": "revoked", "two": "active"}


def test_a_revoked_waiting_key_is_rolled_back() -> None:
    """The predecessor goes on, without an end."""
    ring = ring_of().rotated(key("two"), NOW, propagation_s=PROPAGATION_S)
    ring = ring.revoked("two", NOW + 5, reason="wrong machine", replacement=key("three"))
    assert states(ring, NOW + 5) == {"one": "active", "two": "revoked"}
    assert states(ring, NOW + 10**8) == {"one": "active", "two": "revoked"}


def test_a_revoked_retired_key_changes_nothing_else() -> None:
    """It never signs again anyway."""
    ring = ring_of().rotated(key("two"), NOW, propagation_s=1)
    ring = ring.revoked("one", NOW + 5, reason="found in a backup", replacement=key("three"))
    assert states(ring, NOW + 5) == {"one": "revoked", "two": "active"}


def test_what_is_unknown_or_revoked_is_not_revoked() -> None:
    """Each has its code."""
    ring = ring_of().revoked("one", NOW, reason="stolen", replacement=key("two"))
    for kid, code in (("nobody", "idp.unknown_key"), ("one", "idp.revoked_already")):
        with pytest.raises(IdpRefused) as refused:
            ring.revoked(kid, NOW, reason="again", replacement=key("three"))
        assert refused.value.code == code


@given(
    st.lists(
        st.tuples(st.sampled_from(["rotate", "hasten", "revoke"]), st.integers(0, 3000), st.integers(0, 5)),
        max_size=30,
    )
)
def test_whatever_happens_exactly_one_key_signs_and_it_is_in_the_set(
    acts: list[tuple[str, int, int]],
) -> None:
    """Also at every change that is still to come; a revoked key is never back; versions only grow."""
    ring, now, made, gone = ring_of("k0"), NOW, 0, set[str]()
    for act, wait, which in acts:
        now += wait
        made += 1
        before = ring
        try:
            if act == "rotate":
                ring = ring.rotated(key(f"k{made}"), now, propagation_s=PROPAGATION_S)
            elif act == "hasten":
                ring = ring.hastened(now)
            else:
                kid = ring.keys[which % len(ring.keys)].kid
                ring = ring.revoked(kid, now, reason="r", replacement=key(f"k{made}"))
                gone.add(kid)
        except IdpRefused:
            continue
        assert ring.version > before.version
        dates = {
            now,
            now + PROPAGATION_S,
            *(at for one in ring.keys for at in (one.active_from, one.retired_at) if at),
        }
        for at in (one for one in dates if one >= now):
            signing = [one for one in ring.keys if one.state(at) is KeyState.ACTIVE]
            assert len(signing) == 1
            assert signing[0].vouches(at)
            assert gone.isdisjoint(one.kid for one in ring.vouching(at))


def test_the_history_is_bounded_and_keeps_what_vouches() -> None:
    """The oldest ones that ended go first."""
    ring, now = ring_of("k0"), NOW
    for number in range(1, MAX_HISTORY + 20):
        now += GRACE_S
        ring = ring.rotated(key(f"k{number}"), now, propagation_s=1)
    assert len(ring.keys) == MAX_HISTORY
    assert ring.signing(now + 1) is not None


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_what_is_published_is_a_key_set_by_the_rules_of_our_own_verifier(algorithm: str) -> None:
    """RFC 7517; the name is the thumbprint (RFC 7638); nothing private, whatever the record holds (C34)."""
    private = new_private_key("ES256" if algorithm == "ES256" else "RS256")
    jwk = {**public_jwk(private), "d": "a-private-member", "k": "a-shared-secret"}
    made = IdpKey(
        kid=jwk_thumbprint(public_jwk(private)),
        algorithm="ES256" if algorithm == "ES256" else "RS256",
        jwk=jwk,
        created=NOW,
        active_from=NOW,
        by="ops",
    )
    published = made.published()
    assert {"kid", "kty", "use", "alg"} <= set(published)
    assert published["use"] == "sig"
    assert published["alg"] == algorithm
    assert not {"d", "k", "p", "q", "dp", "dq", "qi"} & set(published)
    (found,) = parse_key_set(msgspec.json.encode({"keys": [published]})).keys
    assert found.thumbprint == made.kid
    assert found.algorithms == {algorithm}
