"""What may be configured about an issuer."""

import msgspec
import pytest

from gateway.identity.issuer import MAX_LEEWAY_S, MAX_LIFETIME_S, TrustedIssuer


def test_the_defaults_are_strict() -> None:
    """Access tokens only, an hour at most, asymmetric algorithms, no roles."""
    trusted = TrustedIssuer(issuer="https://idp.example")
    assert trusted.require_at_jwt
    assert trusted.max_lifetime_s == 3600
    assert set(trusted.algorithms) == {"RS256", "ES256", "EdDSA"}
    assert trusted.role_claim == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://idp.example"},
        {"issuer": "urn:countersign:static"},
        {"issuer": "https://idp.example?x=1"},
        {"issuer": ""},
        {"algorithms": []},
        {"algorithms": ["HS256"]},
        {"algorithms": ["none"]},
        {"algorithms": ["RS256", "HS512"]},
        {"algorithms": ["rs256"]},
        {"audience": ""},
        {"max_lifetime_s": 0},
        {"max_lifetime_s": MAX_LIFETIME_S + 1},
        {"leeway_s": -1},
        {"leeway_s": MAX_LEEWAY_S + 1},
        {"role_claim": ["a", ""]},
        {"scope_claim": [""]},
        {"scope_map": {"": "pay"}},
        {"scope_map": {"ext:pay": ""}},
        {"role_map": {"grp-7": ""}},
        {"algorithm": "RS256"},
    ],
)
def test_an_unsafe_setting_is_refused_at_start(wrong: dict[str, object]) -> None:
    """Nothing unsafe can be configured, and a misspelt member is not ignored."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"issuer": "https://idp.example", **wrong}, TrustedIssuer)
