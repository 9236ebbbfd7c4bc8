"""Finding an issuer's keys."""

import json

import pytest

from gateway.identity.discovery import discover_jwks_uri, jwks_uri_of, metadata_urls
from gateway.identity.fetch import FetchError

ISSUER = "https://idp.example/tenant"
OAUTH = "https://idp.example/.well-known/oauth-authorization-server/tenant"
OIDC = "https://idp.example/tenant/.well-known/openid-configuration"


class Pages:
    """A fetcher over a dict; an int is an HTTP status."""

    def __init__(self, pages: dict[str, bytes | int]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        """The page."""
        self.asked.append(url)
        page = self.pages.get(url, 404)
        if isinstance(page, int):
            raise FetchError("no", page)
        return page


def metadata(issuer: object = ISSUER, jwks_uri: object = "https://keys.example/jwks") -> bytes:
    """A metadata document."""
    return json.dumps({"issuer": issuer, "jwks_uri": jwks_uri}).encode()


def test_the_well_known_places_of_an_issuer_with_and_without_a_path() -> None:
    """MCP basic/authorization: RFC 8414 first, then OpenID Connect inserted, then appended."""
    inserted = "https://idp.example/.well-known/openid-configuration/tenant"
    assert metadata_urls(ISSUER) == metadata_urls(ISSUER + "/") == (OAUTH, inserted, OIDC)
    assert metadata_urls("https://idp.example") == (
        "https://idp.example/.well-known/oauth-authorization-server",
        "https://idp.example/.well-known/openid-configuration",
    )
    with pytest.raises(ValueError, match="no query"):
        metadata_urls("https://idp.example/?tenant=1")


async def test_the_first_document_found_decides() -> None:
    """A 404 moves on; a document does not."""
    pages = Pages({OIDC: metadata()})
    assert await discover_jwks_uri(pages, ISSUER) == "https://keys.example/jwks"
    assert pages.asked[-1] == OIDC
    bad_first = Pages({OAUTH: metadata("https://other.example"), OIDC: metadata()})
    with pytest.raises(ValueError, match="another issuer"):
        await discover_jwks_uri(bad_first, ISSUER)


@pytest.mark.parametrize("pages", [{}, {OAUTH: 503, OIDC: metadata()}])
async def test_no_document_is_an_error(pages: dict[str, bytes | int]) -> None:
    """Also a server in trouble: it is asked again later, not worked around."""
    with pytest.raises(FetchError):
        await discover_jwks_uri(Pages(pages), ISSUER)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://idp.example/tenant/",
        "https://idp.example/Tenant",
        "https://idp.example",
        "https://idp.example/other",
        "http://idp.example/tenant",
        "https://idp.example:443/tenant",
        [ISSUER],
        None,
    ],
)
def test_metadata_of_a_near_issuer_is_refused(issuer: object) -> None:
    """RFC 8414 section 3.3: identical, not similar."""
    with pytest.raises(ValueError, match="another issuer"):
        jwks_uri_of(metadata(issuer), issuer=ISSUER)


@pytest.mark.parametrize(
    "uri",
    [
        None,
        7,
        "",
        "http://keys.example/jwks",
        "file:///etc/passwd",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/jwks",
        "https://localhost/jwks",
        "http://localhost/jwks",
        "https://10.0.0.1/jwks",
        "https://2130706433/jwks",
        "https://user@keys.example/jwks",
    ],
)
def test_metadata_cannot_send_us_anywhere(uri: object) -> None:
    """SSRF: no plain http, no private address that the issuer does not live at."""
    with pytest.raises(ValueError, match=r"."):
        jwks_uri_of(metadata(jwks_uri=uri), issuer=ISSUER)


def test_an_issuer_on_a_private_address_may_keep_its_keys_there() -> None:
    """An identity provider inside the cluster, configured by the operator."""
    document = metadata("https://10.0.0.1/t", "https://10.0.0.1/t/jwks")
    assert jwks_uri_of(document, issuer="https://10.0.0.1/t") == "https://10.0.0.1/t/jwks"


@pytest.mark.parametrize("document", [b"", b"[]", b"null", b'{"issuer": "x", "issuer": "y"}', b"\xff"])
def test_metadata_that_is_no_document_is_refused(document: bytes) -> None:
    """Strict JSON only."""
    with pytest.raises(ValueError, match="metadata"):
        jwks_uri_of(document, issuer=ISSUER)
