"""From settings to upstreams."""

import pytest

from gateway.settings.model import Hidden, OAuthSettings, UpstreamSettings
from gateway.targets import registration_of, target_of
from gateway.upstream.delivery import unheard
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.token_server import running_token_server

URL = "https://crm.example/mcp"


def settings(**members: object) -> OAuthSettings:
    """A registration."""
    return OAuthSettings(
        token_url="https://idp.example/token",
        client_id="g",
        client_secret=Hidden("s"),
        **members,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("members", "resource"),
    [({}, URL), ({"resource": "urn:crm"}, "urn:crm"), ({"audience": "crm"}, None)],
)
def test_a_token_is_for_one_server(members: dict[str, object], resource: str | None) -> None:
    """Named by its URL where nothing else names it."""
    assert registration_of(settings(**members), URL).resource == resource


async def test_oauth_settings_become_a_credential() -> None:
    """The target sees the token that the endpoint gave."""
    foreign = ForeignServer(definition("note"))
    async with running_token_server() as server, serving(foreign):
        oauth = OAuthSettings(token_url=server.url, client_id="g", client_secret=Hidden("s"))
        target = target_of("crm", UpstreamSettings(url=foreign.url, oauth=oauth), unheard)
        assert [one["name"] for one in await target.definitions()] == ["note"]
        await target.aclose()
        assert server.forms == [{"grant_type": "client_credentials", "resource": foreign.url}]
    assert {one["authorization"] for one in foreign.headers} == {"Bearer granted-1"}
