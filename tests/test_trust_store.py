"""The trust store carried from gateway to gateway: public keys alone go out, and nothing that comes in is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SettingsError
from gateway.idp.public_key import read_public_key
from gateway.settings.etdi import EtdiSettings, ProviderKeySettings, ToolIssuerSettings
from gateway.settings.kinds import Hidden
from gateway.trust_store import MAX_BYTES, additions, compared, document_of, exported, read_store

PRIVATE = ec.generate_private_key(ec.SECP256R1())
SECRET = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def pem(key: Any = PRIVATE) -> str:
    """The public half."""
    made: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made.decode()


PEM = pem()
ISSUER = ToolIssuerSettings(issuer="https://idp.example.com/", providers=("bank",), names=("idp",))
KEY = ProviderKeySettings(provider="bank", key_id="k1", public_key=PEM)
HERE = EtdiSettings(issuers=(ISSUER,), provider_keys=(KEY,))


def written(settings: EtdiSettings) -> bytes:
    """The file that is carried."""
    return msgspec.json.encode(document_of(exported(settings)[0]))


def file_of(**members: Any) -> bytes:
    """A file with these members."""
    document = {"format": "countersign-trust-store/1", "issuers": [], "provider_keys": [], **members}
    return msgspec.json.encode(document)


def test_what_goes_out_comes_in() -> None:
    """Into a gateway that trusts nobody: all of it is new, and as it was; into the same one: nothing is."""
    store = read_store(written(HERE))
    new = additions(store, EtdiSettings())
    taken = msgspec.convert(new, EtdiSettings)
    assert (taken.issuers, taken.provider_keys) == (HERE.issuers, HERE.provider_keys)
    assert [one.standing for one in compared(store, HERE)] == ["as here", "as here"]
    assert additions(store, HERE) == {"issuers": [], "provider_keys": []}


def test_no_secret_and_no_file_of_this_machine_goes_out(tmp_path: Path) -> None:
    """Keys in files are put into the document; what cannot be is named, without being repeated."""
    path = tmp_path / "bank.pem"
    path.write_text(PEM)
    issuer = ToolIssuerSettings(
        issuer="https://idp.example.com/",
        jwks_file=str(tmp_path / "keys.json"),
        introspection_url="https://idp.example.com/introspect",
        introspection_client_id="gateway",
        introspection_client_secret=Hidden("unsafe-test-secret"),
    )
    key = ProviderKeySettings(provider="bank", key_id="k1", public_key_file=str(path))
    settings = EtdiSettings(issuers=(issuer,), provider_keys=(key,), tool_providers=("bank",))
    data, left = written(settings), exported(settings)[1]
    assert b"unsafe-test-secret" not in data
    assert str(tmp_path).encode() not in data
    assert not any("unsafe-test-secret" in said for said in left)
    assert len(left) == 2
    store = read_store(data)
    assert store.provider_keys[0].public_key == PEM
    # The providers that `tool_providers` gave it here, not those of wherever it arrives.
    assert store.issuers[0].providers == ("bank",)


def test_who_is_left_out_here_does_not_leave() -> None:
    """``trusted_providers`` leaves an issuer out; carried along, another gateway would trust it."""
    other = ToolIssuerSettings(issuer="https://other.example/", providers=("bank",))
    settings = EtdiSettings(issuers=(ISSUER, other), trusted_providers=("idp",))
    assert read_store(written(settings)).issuers == (ISSUER,)
    again = compared(read_store(written(EtdiSettings(issuers=(other,)))), settings)
    assert [one.standing for one in again] == ["as here"]


def test_a_private_key_does_not_leave(tmp_path: Path) -> None:
    """Attack, or a mistake: the provider's own file holds both halves."""
    path = tmp_path / "both.pem"
    path.write_text(PEM + SECRET)
    for key in (
        ProviderKeySettings(provider="bank", key_id="k1", public_key_file=str(path)),
        ProviderKeySettings(provider="bank", key_id="k1", public_key=SECRET),
    ):
        with pytest.raises(SettingsError) as raised:
            exported(EtdiSettings(provider_keys=(key,)))
        assert "PRIVATE" not in raised.value.message


@pytest.mark.parametrize(
    "members",
    [
        {"format": "countersign-trust-store/2"},
        {"more": 1},
        {"issuers": [{"issuer": "https://idp.example.com/"}]},
        {"issuers": [{"issuer": "http://idp.example.com/", "providers": ["bank"]}]},
        {
            "issuers": [
                {"issuer": "https://a.example/", "providers": ["bank"], "jwks_file": "/etc/countersign/keys"}
            ]
        },
        {
            "issuers": [
                {
                    "issuer": "https://a.example/",
                    "providers": ["bank"],
                    "introspection_client_secret": "unsafe",
                }
            ]
        },
        {"issuers": [{"issuer": "https://a.example/", "providers": ["b"], "algorithms": ["none"]}]},
        {"issuers": [{"issuer": "https://a.example/", "providers": ["b"], "names": ["idp"]}] * 2},
        {"provider_keys": [{"provider": "bank", "key_id": "k", "public_key_file": "/etc/passwd"}]},
        {"provider_keys": [{"provider": "bank", "key_id": "k", "public_key": SECRET}]},
        {"provider_keys": [{"provider": "bank", "key_id": "k", "public_key": PEM + SECRET}]},
        {"provider_keys": [{"provider": "bank", "key_id": "k", "public_key": PEM}] * 2},
        {
            "provider_keys": [
                {
                    "provider": "bank",
                    "key_id": "k",
                    "public_key": pem(rsa.generate_private_key(65537, 1024)),
                }
            ]
        },
    ],
)
def test_a_file_that_cannot_be_used(members: dict[str, Any]) -> None:
    """Said, without repeating what may be a secret."""
    with pytest.raises(SettingsError) as raised:
        read_store(file_of(**members))
    assert "PRIVATE" not in raised.value.message
    assert "unsafe" not in raised.value.message


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 200_000, b" " * (MAX_BYTES + 1)])
def test_no_trust_store_at_all(data: bytes) -> None:
    """Neither is a file of another kind."""
    with pytest.raises(SettingsError, match="trust store"):
        read_store(data)


@given(st.binary(max_size=300) | st.recursive(st.none() | st.text(), st.lists).map(msgspec.json.encode))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    """Whatever is sent."""
    with pytest.raises(SettingsError):
        read_store(data)


def test_another_key_under_a_known_id_is_not_taken() -> None:
    """Attack: a file in which a trusted provider's key is the sender's."""
    other = pem(ec.generate_private_key(ec.SECP256R1()))
    sent = msgspec.structs.replace(HERE, provider_keys=(msgspec.structs.replace(KEY, public_key=other),))
    store = read_store(written(sent))
    assert [one.standing for one in compared(store, HERE)] == ["as here", "differs"]
    with pytest.raises(SettingsError, match="k1: differs"):
        additions(store, HERE)


def test_an_issuer_under_the_name_of_another_is_not_taken() -> None:
    """Attack: ``idp`` in a definition would mean somebody else."""
    thief = ToolIssuerSettings(issuer="https://thief.example/", providers=("bank",), names=("idp",))
    store = read_store(written(EtdiSettings(issuers=(thief,))))
    with pytest.raises(SettingsError, match="stands for two"):
        additions(store, HERE)


def test_a_fingerprint_is_that_of_the_key() -> None:
    """The thumbprint that ``countersign idp providers`` shows, so that both sides read the same."""
    items = compared(read_store(written(HERE)), EtdiSettings())
    assert [one.fingerprint for one in items] == [None, read_public_key(PEM)[0]]
