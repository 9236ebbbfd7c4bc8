"""An exported Auth0 tenant, held against the recommendations (R108)."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gateway.authoring.providers.auth0_lint import lint

GOOD: dict[str, Any] = {
    "tenant": {"brute_force_protection": True, "enable_client_connections": False},
    "application": {
        "jwt_configuration": {"alg": "RS256", "lifetime_in_seconds": 3600},
        "grant_types": ["client_credentials"],
        "callbacks": [],
    },
    "api": {
        "signing_alg": "RS256",
        "token_lifetime": 3600,
        "scopes": {"tool:read": "Read", "tool:execute": "Run"},
    },
}


def test_as_recommended() -> None:
    """Nothing to say."""
    assert lint(GOOD) == ()


def test_the_sources_own_example_has_too_long_a_life() -> None:
    """C28: it says 3600 in one place and 86400 in another."""
    export = copy.deepcopy(GOOD)
    export["api"]["token_lifetime"] = 86400
    (finding,) = lint(export)
    assert (finding.place, finding.said) == ("api.token_lifetime", "86400")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("tenant.brute_force_protection", False),
        ("tenant.brute_force_protection", 1),
        ("tenant.enable_client_connections", True),
        ("application.jwt_configuration.alg", "HS256"),
        ("application.jwt_configuration.lifetime_in_seconds", True),
        ("application.grant_types", ["client_credentials", "password"]),
        ("application.callbacks", ["https://x.example"]),
        ("api.signing_alg", "HS256"),
        ("api.token_lifetime", 0),
        ("api.scopes", {"read": "x"}),
        ("api.scopes", {"tool:*": "x"}),
    ],
)
def test_each_recommendation(place: str, value: object) -> None:
    """One finding with a remedy, in its place; and one where it is not said at all."""
    for said in (value, None):
        export = copy.deepcopy(GOOD)
        *path, last = place.split(".")
        section = export
        for step in path:
            section = section[step]
        section[last] = said
        (finding,) = lint(export)
        assert finding.place == place
        assert finding.remedy


@pytest.mark.parametrize("export", [{}, {"tenant": 1, "application": [], "api": None}])
def test_an_export_that_says_nothing(export: dict[str, Any]) -> None:
    """Everything is to be looked at, and nothing raises."""
    assert len(lint(export)) == 9
