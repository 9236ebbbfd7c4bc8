"""Where a client finds what."""

from gateway.idp.metadata import metadata, well_known_paths
from tests.support.idp import Idp


def test_found_where_both_standards_look() -> None:
    """RFC 8414 section 3.1 and OpenID Connect Discovery section 4."""
    assert well_known_paths("https://gateway.example/idp", "/idp") == (
        "/.well-known/oauth-authorization-server/idp",
        "/.well-known/openid-configuration/idp",
        "/idp/.well-known/oauth-authorization-server",
        "/idp/.well-known/openid-configuration",
    )
    assert well_known_paths("https://idp.example", "") == (
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    )


def test_only_asymmetric_algorithms_are_offered() -> None:
    """C34."""
    document = metadata("https://idp.example", "ES256")
    for name, value in document.items():
        if name.endswith("_alg_values_supported"):
            assert value
            assert not [one for one in value if one.startswith("HS") or one == "none"]


async def test_every_address_of_the_document_answers(idp: Idp) -> None:
    """The issuer is the URL it was found at, character by character (RFC 8414 section 3.3)."""
    documents = [(await idp.http.get(idp.url + path)).json() for path in well_known_paths(idp.url, "")]
    assert len(documents) == 2
    found = documents[0]
    assert found == documents[1]
    assert found["issuer"] == idp.url
    assert (await idp.http.get(found["jwks_uri"])).status_code == 200
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        assert (await idp.http.post(found[name], data={"a": "b"})).status_code == 401
        assert (await idp.http.get(found[name])).status_code == 405


async def test_how_long_a_key_set_may_be_kept(idp: Idp) -> None:
    """Not longer than a new key is published before it signs."""
    answer = await idp.http.get(f"{idp.url}/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert idp.settings.idp.propagation_seconds >= 300
