"""Who is trusted is said exactly, in two lists, and unsafe settings do not start."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gateway.etdi.trust import Trust, read_provider_key
from tests.support.tool_tokens import ISSUER, PROVIDER, issuer, pem_of, provider_key

EC = ec.generate_private_key(ec.SECP256R1())
TENANT = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    "name",
    [
        "https://idp.example.com",
        ISSUER + "x",
        "IDP",
        "id",
        "idp ",
        "https://idp.example.com.evil.example/",
        "bank",
        "",
    ],
)
def test_issuers_are_found_by_their_exact_names(name: str) -> None:
    """No prefix, suffix, part or case (C18)."""
    trust = Trust([issuer()])
    assert trust.issuer(ISSUER) is not None
    assert trust.issuer("idp") is not None
    assert trust.issuer(name) is None


@pytest.mark.parametrize(
    "members",
    [
        {"issuer": "http://idp.example.com/"},
        {"issuer": "idp.example.com"},
        {"issuer": "https://idp.example.com/?x=1"},
        {"audience": ""},
        {"providers": ()},
        {"providers": ("",)},
        {"names": ("",)},
        {"algorithms": ()},
        {"algorithms": ("none",)},
        {"algorithms": ("HS256", "RS256")},
        {"max_lifetime_s": 0},
        {"max_lifetime_s": 90_000},
        {"leeway_s": -1},
        {"leeway_s": 3600},
        {"profile": "azure"},
        {"profile": "azure", "issuer": "https://login.microsoftonline.com/common/v2.0"},
        {"profile": "azure", "issuer": "https://login.microsoftonline.com/organizations/v2.0"},
        {"profile": "azure", "issuer": f"https://login.microsoftonline.com/{TENANT}/v2.0/"},
        {"profile": "azure", "issuer": f"https://sts.windows.net/{TENANT}"},
    ],
)
def test_an_issuer_that_would_be_unsafe(members: dict[str, Any]) -> None:
    """It does not start."""
    with pytest.raises(ValueError):
        issuer(**members)


def test_azure_issuers_name_their_tenant() -> None:
    """v1 and v2 (C30)."""
    for url in (f"https://sts.windows.net/{TENANT}/", f"https://login.microsoftonline.com/{TENANT}/v2.0"):
        assert issuer(profile="azure", issuer=url).tenant == TENANT
    assert issuer().tenant is None


def test_one_name_is_one_issuer_and_one_id_is_one_key() -> None:
    """Which of two counts would depend on their order."""
    with pytest.raises(ValueError, match="two issuers"):
        Trust([issuer(), issuer(issuer="https://other.example.com/")])
    with pytest.raises(ValueError, match="two issuers"):
        Trust([issuer(), issuer(issuer="https://other.example.com/", names=(ISSUER,))])
    with pytest.raises(ValueError, match="two keys"):
        Trust(keys=[provider_key(EC), provider_key(EC)])


def test_trust_in_issuers_is_no_trust_in_providers() -> None:
    """C56: a tool provider that calls itself like an issuer is nobody."""
    trust = Trust([issuer()], [provider_key(EC)])
    assert trust.speaks_for(PROVIDER)
    assert not trust.speaks_for("idp")
    assert not trust.speaks_for(ISSUER)
    assert [one.issuer for one in trust.issuers] == [ISSUER]
    assert bool(trust)
    assert not Trust()


def test_keys_of_providers() -> None:
    """Their type decides the algorithm."""
    assert provider_key(EC).algorithm == "ES256"
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert provider_key(made).algorithm == "RS256"


def _private(key: Any) -> bytes:
    made: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made


BAD: dict[str, bytes] = {
    "nothing": b"",
    "no PEM": b"key",
    "a private key": _private(EC),
    "a weak RSA key": pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    "a tiny exponent": pem_of(rsa.generate_private_key(public_exponent=3, key_size=2048)),
    "another curve": pem_of(ec.generate_private_key(ec.SECP384R1())),
    "Ed25519": ed25519.Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
}


@pytest.mark.parametrize("pem", BAD.values(), ids=BAD)
def test_what_is_no_providers_key(pem: bytes) -> None:
    """R116; the message quotes nothing of it."""
    with pytest.raises(ValueError) as problem:
        read_provider_key(pem, provider="p", key_id="k")
    assert "PRIVATE" not in str(problem.value)
