"""Opaque tokens: a real endpoint that answers well, badly, late or not at all."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from gateway.identity.credentials import Secret
from gateway.identity.errors import CredentialRefused, IssuerUnavailable
from gateway.identity.fetch import HttpFetcher
from gateway.identity.introspection import IntrospectionVerifier
from gateway.identity.issuer import TrustedIssuer
from tests.support.issuer_server import (
    Behaviour,
    IssuerServer,
    after,
    answer,
    dripping,
    endless,
    hang_up,
    running_issuer,
    silent,
)
from tests.support.keys import forge

AUDIENCE = "https://gateway.example/mcp"
TOKEN = Secret(b"an-opaque-token-of-somebody")


class Setting:
    """One issuer and a verifier that asks it."""

    def __init__(self, server: IssuerServer, http: httpx.AsyncClient, remember_s: float = 30.0) -> None:
        self.server = server
        self.monotonic = 1000.0
        self.ahead = 0
        self.verifier = IntrospectionVerifier(
            audience=AUDIENCE,
            trusted=TrustedIssuer(issuer=server.url, scope_map={"ext:pay": "pay"}),
            url=server.url + "/introspect",
            client_id="gate way",
            client_secret="unsafe",
            fetcher=HttpFetcher(http, max_bytes=4096, deadline_s=1.0),
            remember_s=remember_s,
            clock=lambda: time.time() + self.ahead,
            monotonic=lambda: self.monotonic,
        )

    def says(self, behaviour: Behaviour | None = None, **changed: Any) -> None:
        """The endpoint's answer from now on."""
        made = {"active": True, "sub": "alice", "aud": AUDIENCE, "exp": int(time.time()) + 600, **changed}
        body = json.dumps({name: value for name, value in made.items() if value is not None})
        self.server.routes["/introspect"] = behaviour or answer(body.encode())


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    """A running issuer."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        yield Setting(server, http)


async def test_an_active_token_names_its_caller(setting: Setting) -> None:
    """client_id, mapped scopes and binding are read; what is not mapped grants nothing."""
    setting.says(client_id="host", scope="ext:pay other", cnf={"jkt": "x" * 43}, iss=setting.server.url)
    caller = await setting.verifier.verify(TOKEN)
    assert caller is not None
    assert (caller.subject, caller.client_id, caller.scopes) == ("alice", "host", ("pay",))
    assert caller.key_thumbprint == "x" * 43
    assert b"authorization: Basic Z2F0ZSt3YXk6dW5zYWZl" in setting.server.requests[0].replace(
        b"Auth", b"auth"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": None},
        {"aud": "https://other.example"},
        {"iss": "https://other.example"},
        {"exp": 1},
        {"exp": "soon"},
        {"sub": None},
        {"token_type": "DPoP"},
        {"cnf": {"x5t#S256": "y"}},
    ],
)
async def test_an_active_token_that_is_not_for_here(setting: Setting, changed: dict[str, Any]) -> None:
    """Active is not enough."""
    setting.says(**changed)
    with pytest.raises(CredentialRefused):
        await setting.verifier.verify(TOKEN)


@pytest.mark.parametrize("lie", ["true", 1, None, [True]])
async def test_active_is_the_boolean_true(setting: Setting, lie: Any) -> None:
    """Anything else is no answer at all: nobody is let in, and nobody is told that the token is bad."""
    setting.says(active=lie)
    with pytest.raises(IssuerUnavailable):
        await setting.verifier.verify(TOKEN)


@pytest.mark.parametrize(
    "behaviour",
    [
        silent,
        dripping,
        hang_up,
        endless(b"x" * 1024),
        answer(b"x"),
        answer(b"[]"),
        answer(b"{}", status=500),
        answer(b"{}", status=401),
        answer(b"", status=302, headers="Location: http://127.0.0.1:1/\r\n"),
        answer(b'{"active":false,"active":true}'),
    ],
)
async def test_an_issuer_in_trouble_fails_closed(setting: Setting, behaviour: Behaviour) -> None:
    """503, not 401, and certainly not a caller."""
    setting.says(behaviour)
    with pytest.raises(IssuerUnavailable):
        await setting.verifier.verify(TOKEN)
    setting.says()
    assert await setting.verifier.verify(TOKEN) is not None


async def test_a_revoked_token_is_good_for_the_bound_and_no_longer(setting: Setting) -> None:
    """Thirty seconds, then the issuer is asked again."""
    setting.says()
    assert await setting.verifier.verify(TOKEN) is not None
    setting.says(active=False)
    setting.monotonic += 29
    assert await setting.verifier.verify(TOKEN) is not None
    setting.monotonic += 2
    assert await setting.verifier.verify(TOKEN) is None
    assert await setting.verifier.verify(TOKEN) is None
    assert setting.server.hits["/introspect"] == 2


async def test_what_is_remembered_ends_when_the_token_does(setting: Setting) -> None:
    """The bound is not over, the token is: it is asked about again, and what the issuer says of it is not enough."""
    setting.says(exp=int(time.time()) + 600)
    assert await setting.verifier.verify(TOKEN) is not None
    setting.ahead = 601
    with pytest.raises(CredentialRefused) as refused:
        await setting.verifier.verify(TOKEN)
    assert refused.value.code == "identity.token_expired"
    assert setting.server.hits["/introspect"] == 2


async def test_with_nothing_remembered_each_request_asks() -> None:
    """Revocation bites at once."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        setting = Setting(server, http, remember_s=0)
        setting.says()
        assert await setting.verifier.verify(TOKEN) is not None
        setting.says(active=False)
        assert await setting.verifier.verify(TOKEN) is None


async def test_one_question_for_all_who_wait(setting: Setting) -> None:
    """And the one who asked first may hang up."""
    gate = asyncio.Event()
    body = {"active": True, "sub": "alice", "aud": AUDIENCE}
    setting.says(after(gate, answer(json.dumps(body).encode())))
    first, second = (asyncio.create_task(setting.verifier.verify(TOKEN)) for _ in range(2))
    await setting.server.asked("/introspect")
    first.cancel()
    gate.set()
    assert await second is not None
    assert setting.server.hits["/introspect"] == 1


async def test_a_jwt_of_another_issuer_is_not_shown_to_this_one(setting: Setting) -> None:
    """One of its own is."""
    setting.says()
    foreign = forge({"alg": "ES256"}, {"iss": "https://other.example"})
    assert await setting.verifier.verify(Secret(foreign.encode())) is None
    assert setting.server.hits["/introspect"] == 0
    own = forge({"alg": "ES256"}, {"iss": setting.server.url})
    assert await setting.verifier.verify(Secret(own.encode())) is not None


async def test_a_token_for_one_server_is_not_good_at_another(setting: Setting) -> None:
    """Nor at the gateway's own URL, whatever was remembered."""
    setting.says(aud=AUDIENCE + "/one")
    assert await setting.verifier.verify(TOKEN, "one") is not None
    for server in ("two", ""):
        with pytest.raises(CredentialRefused):
            await setting.verifier.verify(TOKEN, server)


async def test_the_probe_says_what_is_wrong(setting: Setting) -> None:
    """For `countersign check`."""
    setting.says(active=False)
    assert await setting.verifier.probe() is None
    setting.says()
    assert await setting.verifier.probe() == "it calls a made-up token active"
    setting.says(answer(b"", status=401))
    assert "401" in str(await setting.verifier.probe())
