"""A server's tool brings a token that does not prove it: the tool is not called, whatever the token looks like."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.catalog.approvals import Approvals
from gateway.catalog.definition import read_definition
from gateway.settings.etdi import EtdiSettings, ToolIssuerSettings
from tests.support.answers import codes_of, status_of
from tests.support.foreign_server import ForeignServer, serving
from tests.support.house import House, running_house
from tests.support.issuer_server import IssuerServer, answer, endless, hang_up, running_issuer, silent
from tests.support.keys import SigningKey, key_set, signing_key
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.tool_tokens import AUDIENCE, PROVIDER, claims, wire

METADATA = "/.well-known/oauth-authorization-server"
JWKS = "/keys"
TRACK = "track_parcel"


@dataclass(kw_only=True)
class Bank:
    """A house, a server whose tool carries a token, a second server, and the issuer of tokens."""

    house: House
    server: ForeignServer
    squatter: ForeignServer
    issuer: IssuerServer

    def token(self, key: SigningKey | None = None, **members: Any) -> str:
        """One for the tool, by the issuer as it stands now."""
        now = int(self.house.clock())
        made = claims(**{"iss": self.issuer.url, "iat": now - 1, "exp": now + 600, **members})
        return (key or signing_key()).sign(made, typ="etdi+jwt")

    def tool(self, token: str | None, **members: Any) -> dict[str, Any]:
        """The tool with this token."""
        oauth = None if token is None else {"token": token, "provider": self.issuer.url}
        return wire(TRACK, oauth=oauth, **members)

    def publish(self, *keys: SigningKey) -> None:
        """The issuer publishes these."""
        document = {"issuer": self.issuer.url, "jwks_uri": self.issuer.url + JWKS}
        self.issuer.routes = {
            METADATA: answer(json.dumps(document).encode()),
            JWKS: answer(key_set(*(keys or (signing_key(),)))),
        }

    async def approve(self, made: dict[str, Any], server: str = "bank") -> None:
        """An operator approves it."""
        approvals = Approvals(self.house.gateway.store, pins={}, now=time.time)
        await approvals.approve(server, read_definition(made), by="operator", expires=None)

    async def call(self, made: dict[str, Any], *, server: str = "bank") -> dict[str, Any]:
        """The server lists this from now on; the agent calls it."""
        (self.server if server == "bank" else self.squatter).tools = [made]
        self.house.clock.advance(31)
        return await self.house.call(TRACK, {"id": "P-1"}, server=server)

    async def refused(self, made: dict[str, Any], *codes: str, server: str = "bank") -> None:
        """It is refused for one of these reasons, and no server saw the call."""
        seen = len(self.server.calls), len(self.squatter.calls)
        said = await self.call(made, server=server)
        assert status_of(said) == "refused", said
        assert set(codes_of(said)) & set(codes), said
        assert (len(self.server.calls), len(self.squatter.calls)) == seen


@asynccontextmanager
async def running_bank(folder: Path, *, ready: bool = True, **etdi: Any) -> AsyncIterator[Bank]:
    """The default policy, unsoftened; the tool is of class 4, approved, and its token is all that is in question."""
    policies = copied(folder)
    edit_data(policies, "classes", tools={TRACK: 4})
    async with (
        running_issuer() as issuer,
        serving(ForeignServer()) as server,
        serving(ForeignServer()) as squatter,
    ):
        if ready:
            Bank(house=None, server=server, squatter=squatter, issuer=issuer).publish()  # type: ignore[arg-type]
        trusted = ToolIssuerSettings(issuer=issuer.url, audience=AUDIENCE, providers=(PROVIDER,))
        async with running_house(
            folder,
            policy=judged_by(policies),
            upstreams={"bank": server.url, "squatter": squatter.url},
            etdi=EtdiSettings(issuers=(trusted,), timeout_s=1.0, **etdi),
        ) as house:
            bank = Bank(house=house, server=server, squatter=squatter, issuer=issuer)
            await bank.approve(bank.tool(None) | bank.tool("x.y.z"))
            yield bank


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """With an issuer that does its job."""
    async with running_bank(tmp_path) as running:
        yield running


async def test_a_good_token_is_called_and_a_renewed_one_too(bank: Bank) -> None:
    """The control: a new token is no new definition, and needs no new approval (C02)."""
    for _ in range(2):
        made = bank.tool(bank.token(jti=str(time.time_ns())))
        assert status_of(await bank.call(made)) == "executed"
    assert len(bank.server.calls) == 2
    listed = (await bank.house.rpc("tools/list", server="bank")).json()
    assert [tool["name"] for tool in listed["result"]["tools"]] == [TRACK]


async def test_forged_tokens(bank: Bank) -> None:
    """Of another key, of no key, for another tool, version, provider, audience, of too little scope, too old."""
    now = int(bank.house.clock())
    hostile = [
        bank.token(SigningKey("ES256", "key-1")),
        bank.token(SigningKey("ES256", "unknown")),
        bank.token(tool_id="bank.other"),
        bank.token(tool_version="2.0.0"),
        bank.token(tool_provider="mallory"),
        bank.token(aud="https://api.example.com"),
        bank.token(scope="tool:bank:pay"),
        bank.token(iat=now - 900, exp=now - 300),
        bank.token(iss="https://evil.example.com/"),
        "no.token.atall",
    ]
    for token in hostile:
        await bank.refused(bank.tool(token), "catalog.token_invalid")
    assert status_of(await bank.call(bank.tool(bank.token()))) == "executed"


async def test_no_token(bank: Bank) -> None:
    """Where an origin is demanded, none is not enough."""
    await bank.refused(bank.tool(None), "catalog.unverified")


@pytest.mark.parametrize("switch", [{"strict_mode": True}, {"allow_non_etdi_tools": False}])
async def test_a_tool_that_is_left_out(tmp_path: Path, switch: dict[str, bool]) -> None:
    """Without a token it is not there at all (R066), in any phase; with one it is (C17)."""
    async with running_bank(tmp_path, **switch) as bank:
        said = await bank.call(bank.tool(None))
        assert codes_of(said) == ["catalog.unknown_tool"]
        assert bank.server.calls == []
        assert status_of(await bank.call(bank.tool(bank.token()))) == "executed"


async def test_an_issuer_that_the_definition_names(bank: Bank) -> None:
    """Attack: the server brings its own issuer along. Nobody asks it for anything (C59)."""
    async with running_issuer() as evil:
        evil.routes = {METADATA: answer(b"{}")}
        made = bank.tool(bank.token(iss=evil.url))
        made["_meta"]["dev.countersign/etdi"]["oauth"]["provider"] = evil.url
        await bank.refused(made, "catalog.token_invalid")
        assert not evil.hits


async def test_a_stolen_token_at_another_server(bank: Bank) -> None:
    """Tokens are public (C55): with the bank's tool and token, word for word, the squatter is still not approved."""
    made = bank.tool(bank.token())
    await bank.refused(made, "catalog.not_approved", server="squatter")
    other = {**made, "description": "Does something else."}
    await bank.refused(other, "catalog.not_approved", server="squatter")


async def test_a_token_that_ends_between_listing_and_call(bank: Bank) -> None:
    """The listing is fresh, the token is not: it is looked at on the call (R153)."""
    now = int(bank.house.clock())
    made = bank.tool(bank.token(iat=now, exp=now + 40))
    assert status_of(await bank.call(made)) == "executed"  # 31 s later
    seen = len(bank.server.calls)
    bank.house.clock.advance(10)
    said = await bank.house.call(TRACK, {"id": "P-1"}, server="bank")
    assert "catalog.token_invalid" in codes_of(said)
    assert len(bank.server.calls) == seen


async def test_a_token_that_was_renewed_in_time(bank: Bank) -> None:
    """The control: the server lists the new one, the gateway has the old one; the call finds the new one."""
    now = int(bank.house.clock())
    assert status_of(await bank.call(bank.tool(bank.token(iat=now, exp=now + 40)))) == "executed"
    bank.server.tools = [bank.tool(bank.token())]
    bank.house.clock.advance(10)
    assert status_of(await bank.house.call(TRACK, {"id": "P-1"}, server="bank")) == "executed"


LYING: dict[str, dict[str, Any]] = {
    "another issuer's metadata": {METADATA: {"issuer": "https://idp.example.com", "jwks_uri": "{url}/keys"}},
    "keys at the cloud's metadata service": {
        METADATA: {"issuer": "{url}", "jwks_uri": "https://169.254.169.254/keys"}
    },
    "keys at a name of this machine": {METADATA: {"issuer": "{url}", "jwks_uri": "https://localhost:1/keys"}},
    "keys without TLS": {METADATA: {"issuer": "{url}", "jwks_uri": "http://keys.example.com/keys"}},
    "a key set that publishes its private key": {JWKS: [signing_key().private_jwk()]},
    "a symmetric key": {JWKS: [{"kty": "oct", "k": "c2VjcmV0", "kid": "key-1"}]},
    "one kid twice": {JWKS: [signing_key().public_jwk(), SigningKey("ES256", "key-1").public_jwk()]},
    "no keys": {JWKS: []},
    "a weak key": {JWKS: [SigningKey("RS256", "key-1", rsa_bits=1024).public_jwk()]},
    "no JSON": {JWKS: b"<html>"},
    "too much": {JWKS: endless(b"x" * 65536)},
    "a hung-up line": {JWKS: hang_up},
    "silence": {JWKS: silent},
    "an error": {JWKS: answer(b"", status=503)},
    "a redirect to its keys": {JWKS: answer(b"", status=302, headers="Location: /elsewhere\r\n")},
    "a redirect of its metadata": {METADATA: answer(b"", status=307, headers="Location: /elsewhere\r\n")},
    "nothing at all": {METADATA: answer(b"", status=404), JWKS: answer(b"", status=404)},
}


@pytest.mark.parametrize("lie", LYING.values(), ids=LYING)
async def test_an_issuer_that_lies_or_is_silent(tmp_path: Path, lie: dict[str, Any]) -> None:
    """The gateway starts, says no to what it cannot prove, and goes on serving what does not need that issuer."""
    async with running_bank(tmp_path, ready=False) as bank:
        bank.publish()
        for path, said in lie.items():
            behave = said
            if isinstance(said, dict):
                text = json.dumps(said).replace("{url}", bank.issuer.url)
                behave = answer(text.encode())
            elif isinstance(said, list):
                behave = answer(json.dumps({"keys": said}).encode())
            elif isinstance(said, bytes):
                behave = answer(said)
            bank.issuer.routes[path] = behave
        bank.issuer.routes["/elsewhere"] = answer(key_set(signing_key()))
        await bank.refused(bank.tool(bank.token()), "catalog.token_invalid")
        assert bank.issuer.hits["/elsewhere"] == 0
        assert status_of(await bank.house.call("list_invoices", {"page": 1})) == "executed"
