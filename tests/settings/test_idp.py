"""Contradictions in ``idp``."""

import pytest

from gateway.settings.idp import audience_of, issuer_of
from tests.settings.conftest import Load, Refusal


def test_it_is_off_and_closed_unless_somebody_says_otherwise(load: Load) -> None:
    """Not mounted, no registration, an operator approves, tokens for an hour."""
    idp = load().idp
    assert not idp.mounted
    assert not idp.registration
    assert idp.approval_required
    assert idp.lifetime_seconds == 3600


def test_where_it_is_and_whom_its_tokens_are_for(load: Load) -> None:
    """Beneath the gateway, unless it has a URL of its own."""
    settings = load('public_url: "https://gateway.example/cs"\n')
    assert issuer_of(settings) == "https://gateway.example/cs/idp"
    assert audience_of(settings) == "https://gateway.example/cs/etdi"
    other = load('idp: {url: "https://idp.example", audience: "urn:example:etdi"}\n')
    assert (issuer_of(other), audience_of(other)) == ("https://idp.example", "urn:example:etdi")


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ('listen: "x"', "idp.listen"),
        ('url: "http://idp.example"', "idp.url"),
        ('url: "https://idp.example/"', "idp.url"),
        ('url: "https://IDP.example"', "idp.url"),
        ('url: "https://idp.example?x=1"', "idp.url"),
        ('url: "idp.example"', "idp.url"),
        ('url: "https://elsewhere.example/idp", mounted: true', "idp.url"),
        ('url: "http://127.0.0.1:3000", mounted: true', "idp.url"),
        ('audience: "http://127.0.0.1:3000/mcp"', "idp.audience"),
        ('audience: "http://127.0.0.1:3000/idp"', "idp.audience"),
        ('audience: "two words"', "idp.audience"),
        ("propagation_seconds: 60", "idp.propagation_seconds"),
        ("lifetime_seconds: 3601", "idp.lifetime_seconds"),
        ("algorithm: HS256", "idp.algorithm"),
        ("registration: maybe", "idp.registration"),
        ("unknown: 1", "idp"),
    ],
)
def test_refused(refusal: Refusal, section: str, key: str) -> None:
    """In one line, which names the key."""
    said = refusal(f"idp: {{{section}}}\n")
    assert said.startswith(key)


def test_variables_say_it_too(load: Load) -> None:
    """As for every section. The passphrase is a file, and in no setting."""
    said = {"MOUNTED": "yes", "ALGORITHM": "RS256", "PASSPHRASE_FILE": "/run/secrets/idp"}
    settings = load("", {f"COUNTERSIGN_IDP_{name}": value for name, value in said.items()})
    assert settings.idp.passphrase_file == "/run/secrets/idp"
    assert settings.idp.mounted
    assert settings.idp.algorithm == "RS256"
