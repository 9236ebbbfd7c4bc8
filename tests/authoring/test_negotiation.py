"""Two sides that speak ETDI, one that does, and those that require it (R165, R166)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.authoring.errors import NegotiationFailed
from gateway.authoring.negotiation import Capability, negotiate, read_capability, with_capability

CLIENT = {"version": "1.0.0", "supportedOAuthProviders": ["auth0.com", "okta.com"]}
EXTENSION = {
    "version": "1.0",
    "required": True,
    "supportedAlgorithms": ["RS256", "ES256"],
    "supportedOAuthFlows": ["client_credentials"],
}
SERVER = {"version": "1.0.0", "oauthProvider": "auth0.com"}


def test_each_spelling_of_the_sources_is_read() -> None:
    """Alone, and all at once where they agree."""
    assert read_capability({"etdi": CLIENT}) == Capability(providers=("auth0.com", "okta.com"))
    assert read_capability({"extensions": {"etdi": EXTENSION}}) == Capability(required=True)
    assert read_capability({"etdi": SERVER}) == Capability(providers=("auth0.com",))
    both = read_capability({"etdi": CLIENT, "extensions": {"etdi": EXTENSION}})
    assert both == Capability(providers=("auth0.com", "okta.com"), required=True)
    assert read_capability({"tools": {}}) is read_capability(None) is read_capability({}) is None


@pytest.mark.parametrize("client", [True, False])
@pytest.mark.parametrize("modern", [True, False])
def test_what_is_written_is_read(*, client: bool, modern: bool) -> None:
    """And nothing else that was said is lost."""
    own = Capability(providers=("custom",), required=client)
    before: dict[str, Any] = {"tools": {}, "extensions": {"x/y": {}}, "experimental": {"z": {}}}
    said = with_capability(before, own, client=client, modern=modern)
    assert read_capability(said) == own
    assert said["extensions"]["x/y"] == said["experimental"]["z"] == said["tools"] == {}


@pytest.mark.parametrize(
    "capabilities",
    [
        {"etdi": "1.0.0"},
        {"etdi": {"version": 1}},
        {"etdi": {"version": "one"}},
        {"etdi": {"version": "1.0.0\n"}},
        {"etdi": {"required": "yes"}},
        {"etdi": {"supportedOAuthProviders": "auth0"}},
        {"etdi": {"supportedAlgorithms": [1]}},
        {"extensions": []},
        {"experimental": "x"},
        {"etdi": {"version": "1.0.0"}, "experimental": {"etdi": {"version": "1.0.1"}}},
        {"etdi": {"required": True}, "extensions": {"etdi": {"required": False}}},
    ],
)
def test_what_is_malformed_or_contradicts_itself_is_refused(capabilities: dict[str, Any]) -> None:
    """Attack: one spelling for those who check, another for those who do not."""
    with pytest.raises(NegotiationFailed):
        read_capability(capabilities)


def side(version: str = "1.0.0", *providers: str, required: bool = False) -> Capability:
    """One side."""
    return Capability(version=version, providers=providers, required=required)


@pytest.mark.parametrize(
    ("client", "server", "version", "provider"),
    [
        (side("1.0.0"), side("1.0.0"), "1.0.0", None),
        (side("1.2.0"), side("1.10.0"), "1.2.0", None),
        (side("1.0.0", "okta.com", "auth0.com"), side("1.0.0", "auth0"), "1.0.0", "auth0"),
        (side("1.0.0"), side("1.0.0", "azure"), "1.0.0", "azure"),
        (None, side(), None, None),
        (side(), None, None, None),
        (None, None, None, None),
        (side("2.0.0"), side("1.9.9"), None, None),
        (side("1.0.0", "okta"), side("1.0.0", "auth0"), None, None),
        (side("1.0.0", "auth0.com.attacker.example"), side("1.0.0", "auth0"), None, None),
    ],
)
def test_the_matrix(
    client: Capability | None, server: Capability | None, version: str | None, provider: str | None
) -> None:
    """The lower of two versions with one major number; compared as numbers, and names as whole words."""
    found = negotiate(client, server)
    assert (found.version, found.provider) == (version, provider)
    assert (found.why is None) is (version is not None)


@pytest.mark.parametrize(
    ("client", "server"),
    [
        (side(required=True), None),
        (None, side(required=True)),
        (side("2.0.0", required=True), side()),
        (side(), side("2.0.0", required=True)),
        (side("1.0.0", "okta", required=True), side("1.0.0", "auth0")),
    ],
)
def test_required_and_unsupported_is_refused(client: Capability | None, server: Capability | None) -> None:
    """Not only warned."""
    with pytest.raises(NegotiationFailed, match="ETDI is required"):
        negotiate(client, server)
