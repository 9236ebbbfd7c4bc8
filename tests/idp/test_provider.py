"""Providers as values: grants, keys that are pinned, and what they say of themselves."""

from typing import Any

import msgspec
import pytest

from gateway.idp.errors import IdpRefused
from gateway.idp.provider import (
    About,
    Provider,
    Status,
    checked_provider_id,
    hashed,
    is_tool_id,
    new_secret,
)
from gateway.idp.public_key import read_public_key
from tests.support.idp import pem_of
from tests.support.keys import SigningKey

NOW = 1_800_000_000


def provider(**members: Any) -> Provider:
    """One that has nothing."""
    made: dict[str, Any] = {
        "id": "acme",
        "about": About(name="Acme"),
        "client_id": "etdi-1",
        "secret_sha256": "0" * 64,
        "status": Status.APPROVED,
        "registered_at": NOW,
        **members,
    }
    return Provider(**made)


def key() -> tuple[str, str, dict[str, str]]:
    """A fresh public key."""
    return read_public_key(pem_of(SigningKey("ES256", None).private))


def test_a_provider_has_nothing_that_nobody_granted() -> None:
    """C33: the allow-lists are empty, and an empty list allows nothing."""
    assert not provider().may_have("tool:files:read")
    assert not provider().provides("acme.read")


def test_scopes_are_granted_by_name_and_all_of_them_only_by_a_star() -> None:
    """Paths keep their colons; a beginning is no grant."""
    one = provider().granted(scopes=("tool:files:read:/documents",), tools=())
    assert one.may_have("tool:files:read:/documents")
    assert not one.may_have("tool:files:read")
    assert not one.may_have("tool:files:read:/documents/x")
    assert provider().granted(scopes=("*",), tools=()).may_have("tool:anything:at:all")


@pytest.mark.parametrize(
    "scope", ["", "*", "openid", "payments:write", "tool:", "tool:a b", 'tool:"', "tool:\n"]
)
def test_no_grant_makes_a_scope_of_some_api(scope: str) -> None:
    """C55: a published token with such a scope would be worth stealing."""
    assert not provider(scopes=("*", scope)).may_have(scope)


def test_tools_are_granted_by_id_or_by_beginning() -> None:
    """The star stands last, or it is no star."""
    one = provider().granted(scopes=(), tools=("acme.read", "beta.*"))
    assert one.provides("acme.read")
    assert one.provides("beta.anything")
    assert not one.provides("acme.read2")
    assert not one.provides("gamma")


@pytest.mark.parametrize(
    "grant",
    [
        {"scopes": ("payments",)},
        {"scopes": ("tool:",)},
        {"tools": ("a*b",)},
        {"tools": ("a b",)},
        {"tools": ("",)},
    ],
)
def test_what_is_no_grant_is_refused(grant: dict[str, tuple[str, ...]]) -> None:
    """With its code."""
    with pytest.raises(IdpRefused) as refused:
        provider().granted(**{"scopes": (), "tools": (), **grant})
    assert refused.value.code == "idp.grant"


def test_grants_are_bounded() -> None:
    """A record stays readable."""
    with pytest.raises(IdpRefused):
        provider().granted(scopes=(), tools=tuple(f"t{number}" for number in range(501)))


def test_a_key_is_pinned_when_it_is_approved_and_its_successor_changes_nothing_before() -> None:
    """R124: swapped keys wait for an operator, who names the thumbprint."""
    first, second = key(), key()
    one = provider().with_proposed(first, NOW)
    assert one.key(NOW) is None
    one = one.with_approved(first[0], NOW)
    pinned = one.key(NOW)
    assert pinned is not None
    assert pinned.kid == first[0]
    one = one.with_proposed(second, NOW + 5)
    still = one.key(NOW + 5)
    assert still is not None
    assert still.kid == first[0]
    with pytest.raises(IdpRefused) as refused:
        one.with_approved(first[0], NOW + 6)
    assert refused.value.code == "idp.no_such_key"
    one = one.with_approved(second[0], NOW + 6)
    new = one.key(NOW + 6)
    assert new is not None
    assert new.kid == second[0]
    assert one.keys[0].valid_until == NOW + 6


def test_a_proposed_key_replaces_the_one_that_waited() -> None:
    """One waits at a time: the operator approves what the provider said last, or nothing."""
    first, second = key(), key()
    one = provider().with_proposed(first, NOW).with_proposed(second, NOW)
    assert [each.kid for each in one.keys] == [second[0]]


def test_an_old_key_does_not_come_back() -> None:
    """It was ended for a reason."""
    first, second = key(), key()
    one = provider().with_proposed(first, NOW).with_approved(first[0], NOW)
    one = one.with_proposed(second, NOW).with_approved(second[0], NOW)
    with pytest.raises(IdpRefused) as refused:
        one.with_proposed(first, NOW)
    assert refused.value.code == "idp.key_known"


def test_a_revoked_key_vouches_for_nothing() -> None:
    """At once, and not for a second approval."""
    first = key()
    one = provider().with_proposed(first, NOW).with_approved(first[0], NOW).with_revoked(first[0], NOW)
    assert one.key(NOW) is None
    with pytest.raises(IdpRefused):
        one.with_revoked(first[0], NOW)


def test_another_key_under_a_pinned_thumbprint_vouches_for_nothing() -> None:
    """Key substitution by whoever can write the store."""
    first, another = key(), key()
    one = provider().with_proposed(first, NOW).with_approved(first[0], NOW)
    swapped = msgspec.structs.replace(one.keys[0], jwk=another[2])
    assert msgspec.structs.replace(one, keys=(swapped,)).key(NOW) is None


@pytest.mark.parametrize(
    "members",
    [
        {"name": ""},
        {"name": "  "},
        {"name": "a" * 101},
        {"name": "pay\u202epal"},
        {"description": "x" * 501},
        {"description": "\x1b[2J"},
        {"contact_email": "nobody"},
        {"contact_email": "a@b\n"},
        {"website": "http://plain.example"},
        {"website": "https://user:pass@example.com"},
        {"website": "javascript:alert(1)"},
        {"callback_url": "https://"},
        {"callback_url": "https://exa mple.com"},
        {"callback_url": "https://[::1"},
    ],
)
def test_what_a_provider_says_of_itself_is_looked_at(members: dict[str, str]) -> None:
    """An operator reads it, maybe on a terminal."""
    with pytest.raises(IdpRefused) as refused:
        About(**{"name": "Acme", **members}).checked()
    assert refused.value.code == "idp.registration"


def test_a_plain_registration_is_fine() -> None:
    """All members, and only the name."""
    About(name="Acme").checked()
    About(
        name="Acme Tools",
        description="Reads files.\nWrites none.",
        contact_email="tools@acme.example",
        website="https://acme.example",
        callback_url="https://acme.example/etdi?x=1",
    ).checked()


def test_a_secret_has_256_random_bits_and_only_its_hash_is_kept() -> None:
    """C31."""
    (secret, digest), (other, _) = new_secret(), new_secret()
    assert secret != other
    assert len(secret.removeprefix("csi_")) == 43
    assert digest == hashed(secret)
    assert secret not in digest


@pytest.mark.parametrize("text", ["", "A", "-a", "a/b", "a" * 65, "a b", "ä"])
def test_ids_are_plain(text: str) -> None:
    """They stand in URLs and on screens."""
    with pytest.raises(IdpRefused):
        checked_provider_id(text)
    assert checked_provider_id("acme-tools.1") == "acme-tools.1"


def test_tool_ids_are_visible() -> None:
    """What looks like another id is none."""
    assert is_tool_id("paypal.create_invoice")
    for text in ("", "a b", "a\u200bb", "é", "a" * 201, "a\n"):
        assert not is_tool_id(text)
