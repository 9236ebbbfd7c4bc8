"""From settings to upstreams."""

import pytest

from gateway.settings.model import Hidden, OAuthSettings, Settings, UpstreamSettings
from gateway.targets import PAYPAL_NPM, presets_of, registration_of, target_of, with_preset
from gateway.upstream.delivery import unheard
from gateway.upstream.target import Effect
from tests.support.foreign_server import ForeignServer, definition, serving
from tests.support.token_server import running_token_server
from tests.support.toolkit_server import running_toolkit

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


def test_paypals_own_servers() -> None:
    """The environment is always said: PayPal's library takes production where nobody names one."""
    remote = UpstreamSettings(preset="paypal-remote")
    assert with_preset(remote, "SANDBOX").url == "https://mcp.sandbox.paypal.com/http"
    assert with_preset(remote, "PRODUCTION").url == "https://mcp.paypal.com/http"
    npm = UpstreamSettings(preset="paypal-npm", env={"PAYPAL_ACCESS_TOKEN": Hidden("t")})
    started = with_preset(npm, "SANDBOX")
    assert (started.command, started.env["PAYPAL_ENVIRONMENT"]) == (PAYPAL_NPM, "sandbox")
    assert "t" not in started.command
    other = UpstreamSettings(url="https://x.example")
    assert with_preset(other, "PRODUCTION") is other
    assert presets_of(Settings(upstreams={"a": remote, "b": other, "c": npm})) == ["a", "c"]


def test_what_is_set_beside_a_preset_holds() -> None:
    """A pinned package, another address."""
    pinned = UpstreamSettings(preset="paypal-npm", command=("npx", "@paypal/mcp@1.2.3"))
    assert with_preset(pinned, "SANDBOX").command == pinned.command
    local = UpstreamSettings(preset="paypal-remote", url="http://127.0.0.1:1/mcp")
    assert with_preset(local, "PRODUCTION").url == local.url


async def test_a_preset_is_within_bounds() -> None:
    """A hazard of the toolkit does not get to the server that the settings name."""
    async with running_toolkit() as (toolkit, _):
        one = UpstreamSettings(preset="paypal-remote", url=toolkit.url)
        target = target_of("pp", one, unheard)
        assert len(await target.definitions()) == 32
        hostile = {"dispute_id": "../../x", "note": "ok"}
        reply = await target.call("accept_dispute_claim", hostile, transaction_id="t", meta={})
        await target.aclose()
    assert reply.effect is Effect.REFUSED
    assert toolkit.bodies == []
