"""Signing in, by the bridge as a process, at a real authorization server; and servers that try to get the token."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.authorization_server import AuthorizationServer, Mischief, authorization_server
from tests.support.bridge import BridgeProcess, bridging
from tests.support.until import until

BROWSER = f"{sys.executable} {Path(__file__).with_name('consenting_browser.py')} %s &"
ROUNDS = 3


@pytest.fixture
async def server() -> AsyncIterator[AuthorizationServer]:
    """A well-behaved server."""
    async with authorization_server() as running:
        yield running


def with_browser(server: AuthorizationServer, home: Path, *options: str) -> Any:
    """A bridge whose browser consents at once. The keyring library is told that there is no keyring."""
    return bridging(
        server.resource,
        home,
        *options,
        BROWSER=BROWSER,
        PYTHON_KEYRING_BACKEND="keyring.backends.fail.Keyring",
    )


async def pinged(bridge: BridgeProcess, ident: int = 1) -> dict[str, Any]:
    """One harmless request through the bridge."""
    return await bridge.ask("ping", {}, ident)


async def test_a_browser_signs_in_and_the_call_goes_on(server: AuthorizationServer, tmp_path: Path) -> None:
    """401, metadata, registration, code with PKCE, token, and the request that waited is answered."""
    async with with_browser(server, tmp_path) as bridge:
        assert await pinged(bridge) == {"jsonrpc": "2.0", "id": 1, "result": {}}
        assert await bridge.hung_up_on() == 0
    assert [one["grant_type"] for one in server.token_requests] == ["authorization_code"]
    assert server.registered[0]["redirect_uris"] == [server.authorized[0]["redirect_uri"]]
    assert server.authorized[0]["scope"] == "mcp:tools offline_access"
    assert not any(token in line for token in server.tokens for line in bridge.errors)


async def test_the_token_is_kept_for_the_next_start(server: AuthorizationServer, tmp_path: Path) -> None:
    """The second start asks nobody; the file is this user's alone, and its name tells nothing."""
    for _ in range(2):
        async with with_browser(server, tmp_path) as bridge:
            assert "result" in await pinged(bridge)
    assert len(server.authorized) == 1
    kept = list((tmp_path / ".local/state/countersign").glob("*.secret"))
    assert len(kept) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)


async def test_a_refresh_token_is_rotated(server: AuthorizationServer, tmp_path: Path) -> None:
    """Revoked access tokens are renewed without a person, each refresh token used once, over restarts too."""
    for ident in range(ROUNDS):
        async with with_browser(server, tmp_path) as bridge:
            assert "result" in await pinged(bridge, ident)
        server.revoke()
    used = [one["refresh_token"] for one in server.token_requests if one["grant_type"] == "refresh_token"]
    assert len(server.authorized) == 1
    assert len(used) == len(set(used)) == ROUNDS - 1


async def test_two_bridges_do_not_use_one_refresh_token_twice(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    """Both find the token refused at the same moment; one renews it, the other finds what the first one got."""
    async with with_browser(server, tmp_path) as one, with_browser(server, tmp_path) as two:
        assert "result" in await pinged(one)
        assert "result" in await pinged(two)
        for ident in range(2, 2 + ROUNDS):
            server.revoke()
            answers = await asyncio.gather(pinged(one, ident), pinged(two, ident))
            assert all("result" in answer for answer in answers)
    used = [one["refresh_token"] for one in server.token_requests if one["grant_type"] == "refresh_token"]
    assert len(used) == len(set(used)) == ROUNDS
    assert len(server.authorized) == 1


async def test_a_token_that_ends_soon_is_renewed_before_it_is_used(tmp_path: Path) -> None:
    """No request goes out with a token about to end."""
    async with authorization_server(life_s=5) as server, with_browser(server, tmp_path) as bridge:
        assert "result" in await pinged(bridge)
        assert "result" in await pinged(bridge, 2)
        assert [one["grant_type"] for one in server.token_requests].count("refresh_token") >= 1
    assert server.authorizations.count("") == 1


async def test_a_missing_scope_is_asked_for_with_those_already_granted(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    """403 insufficient_scope: one more sign-in with the union, and the call goes on (step-up)."""
    server.needs = ("mcp:tools", "refunds")
    async with with_browser(server, tmp_path) as bridge:
        assert "result" in await pinged(bridge)
    assert [one["scope"] for one in server.authorized] == [
        "mcp:tools offline_access",
        "mcp:tools offline_access refunds",
    ]


@pytest.mark.parametrize("nonces", [False, True], ids=["plain", "nonce"])
async def test_bound_tokens_are_proved_on_each_request(tmp_path: Path, *, nonces: bool) -> None:
    """The server offers DPoP: proofs at the token endpoint and at the gateway; its nonce is used, once each."""
    async with authorization_server(dpop=True, nonces=nonces) as server:
        async with with_browser(server, tmp_path) as bridge:
            assert "result" in await pinged(bridge)
            assert "result" in await pinged(bridge, 2)
        assert len(server.proofs) == 3
        assert server.authorizations == ["", "DPoP", "DPoP"]
        assert len(server.token_requests) == (2 if nonces else 1)
        assert server.authorized[0]["dpop_jkt"]


async def test_a_headless_machine_signs_in_with_a_code(tmp_path: Path) -> None:
    """The code and the page are said on standard error; the bridge asks until somebody has entered it."""
    async with authorization_server(pending_polls=1) as server:
        async with bridging(server.resource, tmp_path, "--device") as bridge:
            assert "result" in await pinged(bridge)
            said = await bridge.said("WDJB-MJHT")
        assert f"{server.url}/enter" in said
        assert len(server.token_requests) == 2
        assert server.registered[0]["grant_types"][0] == "urn:ietf:params:oauth:grant-type:device_code"


async def test_a_configured_client_id_is_not_registered(server: AuthorizationServer, tmp_path: Path) -> None:
    """What the operator registered is used as it is."""
    async with with_browser(server, tmp_path, "--client-id", "known-client") as bridge:
        assert "result" in await pinged(bridge)
    assert server.registered == []
    assert server.authorized[0]["client_id"] == "known-client"


async def test_a_server_that_is_down_does_not_cost_the_refresh_token(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    """503 of the token endpoint is an error of this call; the next one renews, and nobody signs in again."""
    async with with_browser(server, tmp_path) as bridge:
        assert "result" in await pinged(bridge)
        server.revoke()
        server.mischief.token_status = 503
        failed = await pinged(bridge, 2)
        assert failed["error"]["data"]["code"] == "client.login_failed"
        server.mischief.token_status = None
        assert "result" in await pinged(bridge, 3)
    assert len(server.authorized) == 1


async def test_a_revoked_sign_in_is_made_anew(server: AuthorizationServer, tmp_path: Path) -> None:
    """The refresh token is worth nothing any more: the browser opens again."""
    async with with_browser(server, tmp_path) as bridge:
        assert "result" in await pinged(bridge)
        server.forget_everything()
        assert "result" in await pinged(bridge, 2)
    assert len(server.authorized) == 2


@pytest.mark.parametrize(
    ("mischief", "said"),
    [
        (Mischief(iss="https://other.example"), "comes from another server"),
        (Mischief(resource="https://bank.example/mcp"), "about another resource"),
        (Mischief(resource_metadata="https://evil.example/meta"), "metadata at another place"),
        (Mischief(issuer="https://other.example"), "names another issuer"),
        (Mischief(token_endpoint="http://evil.example/token"), "is not https"),
        (Mischief(token_endpoint="http://127.0.0.1:9/token"), "plain http at another place"),
        (Mischief(metadata={"code_challenge_methods_supported": ["plain"]}), "PKCE"),
    ],
    ids=["iss", "resource", "pointer", "issuer", "token-http", "token-elsewhere", "pkce"],
)
async def test_a_sign_in_that_is_led_astray_ends(tmp_path: Path, mischief: Mischief, said: str) -> None:
    """No code and no verifier leaves; the host reads why, and no page is opened for each further call."""
    async with authorization_server(mischief=mischief) as server:
        async with with_browser(server, tmp_path) as bridge:
            refused = await pinged(bridge)
            assert said in refused["error"]["message"]
            again = await pinged(bridge, 2)
            assert again["error"]["data"]["code"] == "client.login_failed"
        assert server.token_requests == []
        assert server.calls == []
        assert len(server.authorized) <= 1


async def test_a_redirect_with_another_state_is_not_used(tmp_path: Path) -> None:
    """The code that came with it goes nowhere; and it does not end the sign-in, so that no page can do that."""
    async with authorization_server(mischief=Mischief(state="of-somebody-else")) as server:
        async with with_browser(server, tmp_path) as bridge:
            await bridge.write({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}})
            await bridge.said("look at the page")
            await until(lambda: server.authorized)
            assert server.token_requests == []
            assert await bridge.hung_up_on() == 0
        assert server.token_requests == []


async def test_signing_in_beforehand(server: AuthorizationServer, tmp_path: Path) -> None:
    """``--login`` in a terminal; the host's bridge then asks nobody. ``--logout`` forgets it."""
    async with with_browser(server, tmp_path, "--login") as first:
        assert await first.process.wait() == 0
    async with with_browser(server, tmp_path) as second:
        assert "result" in await pinged(second)
    assert len(server.authorized) == 1
    async with with_browser(server, tmp_path, "--logout") as third:
        assert await third.process.wait() == 0
    async with with_browser(server, tmp_path) as fourth:
        assert "result" in await pinged(fourth)
    assert len(server.authorized) == 2


async def test_a_fixed_token_is_kept_without_being_in_a_file_of_the_host(
    server: AuthorizationServer, tmp_path: Path
) -> None:
    """``--save-token`` reads it from standard input."""
    server.tokens["fixed-token-1"] = {"scopes": ["mcp:tools"], "key": None}
    async with with_browser(server, tmp_path, "--save-token") as saving:
        await saving.write(b"fixed-token-1")
        assert await saving.process.wait() == 0
    async with with_browser(server, tmp_path) as bridge:
        assert "result" in await pinged(bridge)
    assert server.authorized == []
