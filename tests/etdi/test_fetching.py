"""Key sets come from where the operator points, not from where a stranger would have the gateway look."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence

import httpx
import pytest

from gateway.etdi.fetching import FALLBACKS, PublicOnly, addresses_of, fallbacks_of
from gateway.identity.fetch import FetchError, HttpFetcher
from gateway.identity.keys import FRESH_S, MIN_REFRESH_INTERVAL_S, RemoteKeys
from tests.support.clock import ManualClock
from tests.support.issuer_server import answer, running_issuer
from tests.support.keys import SigningKey, key_set, signing_key
from tests.support.tool_tokens import AUDIENCE, NOW, Bench, issuer, token, tool
from tests.support.until import until

METADATA = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


class Inner:
    """Notes what is fetched."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        """Something."""
        self.asked.append(url)
        return b"{}"


def resolving(*addresses: str) -> object:
    """A resolver that knows these."""

    async def resolve(host: str) -> Sequence[str]:
        if not addresses:
            raise socket.gaierror
        return addresses

    return resolve


@pytest.mark.parametrize(
    "addresses",
    [
        ("10.0.0.1",),
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("192.168.1.1",),
        ("100.64.0.1",),
        ("::1",),
        ("fe80::1%eth0",),
        ("fd00::1",),
        ("::ffff:127.0.0.1",),
        ("::127.0.0.1",),
        ("64:ff9b::a9fe:a9fe",),
        ("64:ff9b:1::a00:1",),
        ("2002:a00:1::1",),
        ("fec0::1",),
        ("ff0e::1",),
        ("224.0.0.1",),
        ("8.8.8.8", "10.0.0.1"),
        (),
    ],
)
async def test_a_name_that_leads_inside_is_not_followed(addresses: tuple[str, ...]) -> None:
    """Unless the operator named it (C59)."""
    inner = Inner()
    guarded = PublicOnly(inner, named=frozenset({"idp.example.com"}), resolve=resolving(*addresses))  # type: ignore[arg-type]
    with pytest.raises(FetchError):
        await guarded.fetch("https://keys.example.com/keys")
    with pytest.raises(FetchError):
        await guarded.fetch("ftp://keys.example.com/keys")
    assert inner.asked == []
    await guarded.fetch("https://idp.example.com/keys")
    assert inner.asked == ["https://idp.example.com/keys"]


async def test_a_public_name_is_followed() -> None:
    """Large issuers have their keys on another host."""
    inner = Inner()
    addresses = (
        "8.8.8.8",
        "2606:4700::1",
        "64:ff9b::808:808",
    )  # the last: as a network without IPv4 has them
    guarded = PublicOnly(inner, named=frozenset(), resolve=resolving(*addresses))  # type: ignore[arg-type]
    await guarded.fetch("https://keys.example.com/keys")
    assert len(inner.asked) == 1
    assert "127.0.0.1" in await addresses_of("localhost")


@pytest.mark.parametrize("place", FALLBACKS)
async def test_where_an_issuer_without_metadata_has_its_keys(place: str) -> None:
    """Each of the usual places, after discovery (R078)."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[place] = answer(key_set(signing_key()))
        keys = RemoteKeys(
            issuer=server.url, fetcher=HttpFetcher(http), fallbacks=fallbacks_of(server.url + "/")
        )
        assert await keys.find("key-1", "ES256") is not None
        assert list(server.hits)[:2] == [METADATA, OPENID]


async def test_an_issuer_with_metadata_is_believed_alone() -> None:
    """Attack: a lie in the metadata must not lead to a second choice, nor trouble with it."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes[FALLBACKS[0]] = answer(key_set(signing_key()))
        for behaviour in (answer(b'{"issuer":"https://x.example.com"}'), answer(b"", status=500)):
            server.routes[METADATA] = behaviour
            keys = RemoteKeys(
                issuer=server.url, fetcher=HttpFetcher(http), fallbacks=fallbacks_of(server.url)
            )
            assert not await keys.prefetch()
        assert server.hits[FALLBACKS[0]] == 0


async def test_unknown_kids_cause_few_fetches() -> None:
    """A hundred of them, and a hundred bad signatures: bounded, however many definitions bring them (R078)."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        document = {"issuer": server.url, "jwks_uri": server.url + "/keys"}
        server.routes = {
            METADATA: answer(json.dumps(document).encode()),
            "/keys": answer(key_set(signing_key())),
        }
        keys = RemoteKeys(issuer=server.url, fetcher=HttpFetcher(http), clock=ManualClock(0))
        bench = Bench(keys=keys, trusted=issuer(issuer=server.url, audience=AUDIENCE))
        mallory = SigningKey("ES256", "key-1")
        listed = [
            tool(token(mallory, header={"kid": kid}, iss=server.url, jti=str(n)), id=f"bank.{n}")
            for n, kid in enumerate([*(f"kid-{n}" for n in range(100)), *["key-1"] * 100])
        ]
        verdicts = await bench.verifier.verify("bank", listed)
        assert {one.etdi.error for one in verdicts} == {"token_invalid_signature"}
        assert server.hits["/keys"] == 1


async def test_a_withdrawn_key_is_noticed_although_nobody_asks() -> None:
    """A kept verdict asks for the set anew when it is old, beside the calls, and ends when the key is gone (R153)."""
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as http:
        server.routes = {
            METADATA: answer(json.dumps({"issuer": server.url, "jwks_uri": server.url + "/keys"}).encode()),
            "/keys": answer(key_set(signing_key())),
        }
        clock = ManualClock(0)
        keys = RemoteKeys(issuer=server.url, fetcher=HttpFetcher(http), clock=clock)
        bench = Bench(keys=keys, trusted=issuer(issuer=server.url))
        definition = tool(token(iss=server.url))
        verdict = await bench.verdict(definition)
        assert verdict.etdi.status == "verified"
        server.routes["/keys"] = answer(key_set(SigningKey("ES256", "key-2")))
        clock.advance(FRESH_S)
        assert bench.verifier.stands(verdict)
        await until(lambda: keys.generation == 1)
        assert not bench.verifier.stands(verdict)
        clock.advance(MIN_REFRESH_INTERVAL_S)
        assert await bench.status(definition) == ("token_invalid", None, "token_invalid_signature")
        assert NOW
        await keys.aclose()
