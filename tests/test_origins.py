"""Whom the settings trust, built into what the catalog asks; what is unusable does not start."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from gateway.catalog.definition import read_definition
from gateway.catalog.tool import Etdi, EtdiStatus
from gateway.errors import SettingsError
from gateway.origins import admission_of, reached, trust_of, verifier_of
from gateway.places import policies_folder
from gateway.policy.classes import Classes
from gateway.settings import Settings
from gateway.settings.etdi import EtdiSettings
from tests.support.keys import key_set, signing_key
from tests.support.tool_tokens import AUDIENCE, ISSUER, NOW, PROVIDER, pem_of, signed, token, tool, wire

EC = ec.generate_private_key(ec.SECP256R1())
AT = "https://gateway.example.com"


def settings_of(**members: Any) -> Settings:
    """Settings with this section."""
    return Settings(public_url=AT, etdi=msgspec.convert(members, EtdiSettings))


def one_issuer(**members: Any) -> dict[str, Any]:
    """The trusted one."""
    return {"issuer": ISSUER, "providers": [PROVIDER], "names": ["idp"], **members}


async def etdi_of(settings: Settings, *definitions: Any) -> list[Etdi]:
    """What becomes of these."""
    async with AsyncExitStack() as stack:
        classes = Classes.load(policies_folder())
        verifier = await verifier_of(settings, classes, stack, now=lambda: NOW)
        return [one.etdi for one in await verifier.verify("bank", definitions)]


async def test_keys_of_a_file_and_a_provider(tmp_path: Path) -> None:
    """Both lists; the audience is ours unless the issuer has another."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(signing_key()))
    pem = tmp_path / "bank.pem"
    pem.write_bytes(pem_of(EC))
    settings = settings_of(
        issuers=[one_issuer(jwks_file=str(keys))],
        provider_keys=[{"provider": PROVIDER, "key_id": "provider-1", "public_key_file": str(pem)}],
    )
    both = read_definition(signed(wire(oauth={"token": token(), "provider": "idp"}), EC))
    found = await etdi_of(settings, tool(), both, tool(token(aud="https://other.example.com")))
    assert [one.status for one in found] == ["verified", "verified", "token_invalid"]
    assert [one.evidence for one in found] == ["token", "signature", None]
    assert f"{AT}/etdi" == AUDIENCE


async def test_a_dead_issuer_keeps_nobody_from_starting() -> None:
    """It is fetched from in the background (C44, R156)."""
    settings = settings_of(
        issuers=[one_issuer(issuer="http://127.0.0.1:1")], timeout_s=5, retry={"max_retries": 0}
    )
    (found,) = await etdi_of(settings, tool(token(iss="http://127.0.0.1:1")))
    assert (found.status, found.error) == ("token_invalid", "provider_unavailable")


async def test_trusted_providers_narrow_the_list(tmp_path: Path) -> None:
    """Whoever is not among them is nobody."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(signing_key()))
    other = {"issuer": "https://other.example.com", "providers": [PROVIDER], "jwks_file": str(keys)}
    issuers = [one_issuer(jwks_file=str(keys)), other]
    narrowed = settings_of(issuers=issuers, trusted_providers=["https://other.example.com"])
    (found,) = await etdi_of(narrowed, tool())
    assert (found.status, found.error) == ("token_invalid", "provider_untrusted")
    (found,) = await etdi_of(settings_of(issuers=issuers, trusted_providers=["idp"]), tool())
    assert found.status == "verified"


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "plain http": ({"issuers": [one_issuer(issuer="http://idp.example.com")]}, "config_invalid", "http"),
    "speaks for nobody": ({"issuers": [one_issuer(providers=[])]}, "config_invalid", "providers"),
    "two issuers of one name": (
        {"issuers": [one_issuer(), one_issuer(issuer="https://b.example.com")]},
        "config_invalid",
        "two issuers",
    ),
    "two places for keys": (
        {"issuers": [one_issuer(jwks_uri=ISSUER, jwks_file="x")]},
        "config_invalid",
        "not both",
    ),
    "a file that is not there": (
        {"issuers": [one_issuer(jwks_file="nowhere.json")]},
        "config_invalid",
        "nowhere",
    ),
    "keys without TLS": (
        {"issuers": [one_issuer(jwks_uri="http://keys.example.com/k")]},
        "config_invalid",
        "http",
    ),
    "introspection without an account": (
        {"issuers": [one_issuer(introspection_url="https://idp.example.com/i")]},
        "config_incomplete",
        "introspection_client_id",
    ),
    "introspection without TLS": (
        {
            "issuers": [
                one_issuer(
                    introspection_url="http://idp.example.com/i",
                    introspection_client_id="a",
                    introspection_client_secret="b",
                )
            ]
        },
        "config_invalid",
        "http",
    ),
    "a trusted provider that nobody knows": (
        {"issuers": [one_issuer()], "trusted_providers": ["auth0.com"]},
        "config_incomplete",
        "auth0.com",
    ),
    "a key without a key": (
        {"provider_keys": [{"provider": "a", "key_id": "k"}]},
        "config_incomplete",
        "public_key",
    ),
    "a key that is none": (
        {"provider_keys": [{"provider": "a", "key_id": "k", "public_key": "x"}]},
        "config_invalid",
        "PEM",
    ),
    "a key file that is not there": (
        {"provider_keys": [{"provider": "a", "key_id": "k", "public_key_file": "nowhere.pem"}]},
        "config_invalid",
        "No such file",
    ),
}


@pytest.mark.parametrize(("members", "code", "words"), BAD.values(), ids=BAD)
async def test_what_is_unusable_does_not_start(members: dict[str, Any], code: str, words: str) -> None:
    """With a code of the design, and words that name it."""
    settings = Settings(
        public_url=AT, etdi=msgspec.convert(members, EtdiSettings, dec_hook=lambda kind, value: kind(value))
    )
    with pytest.raises(SettingsError, match=words) as problem:
        await etdi_of(settings, tool())
    assert problem.value.code == code


def test_issuers_speak_for_the_common_list_unless_they_have_their_own() -> None:
    """C56."""
    settings = settings_of(issuers=[one_issuer(providers=[])], tool_providers=["depot"])
    trusted = trust_of(settings.etdi, audience="a").issuer("idp")
    assert trusted is not None
    assert (trusted.providers, trusted.audience) == (("depot",), "a")


MATRIX = [
    ({}, {"verified", "unverified", "token_invalid", "signature_invalid"}),
    ({"allow_non_etdi_tools": False}, {"verified", "token_invalid", "signature_invalid"}),
    ({"show_unverified_tools": False}, {"verified", "unverified"}),
    ({"allow_non_etdi_tools": True, "show_unverified_tools": False}, {"verified", "unverified"}),
    ({"strict_mode": True}, {"verified"}),
    ({"strict_mode": True, "allow_non_etdi_tools": True, "show_unverified_tools": True}, {"verified"}),
    ({"strict_mode": False}, {"verified", "unverified", "token_invalid", "signature_invalid"}),
]


@pytest.mark.parametrize(("members", "admitted"), MATRIX)
def test_which_tools_are_looked_at_any_further(members: dict[str, Any], admitted: set[str]) -> None:
    """R066, R067; strict wins (C17)."""
    admits = admission_of(msgspec.convert(members, EtdiSettings))
    assert {status.value for status in EtdiStatus if admits(Etdi(status=status))} == admitted


async def test_whether_keys_can_be_had(tmp_path: Path) -> None:
    """For ``countersign check``: of those that are trusted."""
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(signing_key()))
    here = one_issuer(jwks_file=str(keys))
    dead = {"issuer": "http://127.0.0.1:1", "providers": [PROVIDER]}
    assert await reached(settings_of(issuers=[here, dead])) == {ISSUER: True, "http://127.0.0.1:1": False}
    assert await reached(settings_of(issuers=[here, dead], trusted_providers=["idp"])) == {ISSUER: True}
