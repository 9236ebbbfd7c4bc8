"""The identity provider over HTTP: limits, bounds, and what is said while a part of it is down."""

import random
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from gateway.errors import StoreUnavailable
from gateway.idp.endpoint import asker_of
from gateway.idp.form import MAX_FORM_BYTES
from gateway.state.open import open_store
from gateway.state.store import Space, Store
from tests.support.faults import full_disk_under
from tests.support.idp import Client, Idp, running_idp

GRANT = {"grant_type": "client_credentials"}


class Breaking:
    """A store that stops answering when it is told to."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)

        async def asked(*arguments: Any, **named: Any) -> Any:
            if self.broken and name != "aclose":
                raise StoreUnavailable("The state store does not answer.")
            return await real(*arguments, **named)

        return asked


async def test_while_the_store_is_down_nothing_is_granted_and_nobody_is_called_wrong(tmp_path: Path) -> None:
    """503 with the time to wait, also for the key set and introspection: an answer would be a guess."""
    real = open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    store: Any = Breaking(real)
    async with running_idp(tmp_path, store=store) as idp:
        acme = await idp.client()
        token = await idp.token(acme)
        assert (await idp.http.get(f"{idp.url}/health")).json() == {"ready": True}
        store.broken = True
        for answer in (
            await idp.token_for(acme),
            await idp.ask(acme, "/introspect", token=token),
            await idp.ask(acme, "/revoke", token=token),
            await idp.http.get(f"{idp.url}/.well-known/jwks.json"),
            await idp.http.get(f"{idp.url}/providers/acme/key"),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"] == "temporarily_unavailable"
            assert answer.headers["retry-after"] == "5"
        health = await idp.http.get(f"{idp.url}/health")
        assert (health.status_code, health.json()) == (503, {"ready": False})
        store.broken = False
        assert (await idp.http.get(f"{idp.url}/health")).status_code == 200
        assert await idp.active(acme, token)
    await real.aclose()


async def test_without_its_private_key_it_grants_nothing_and_still_vouches(tmp_path: Path) -> None:
    """503 at the token endpoint; what it signed before stays good."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        token = await idp.token(acme)
        shutil.rmtree(tmp_path / "keys")
        # A process that has the key loaded goes on; one that starts now has it not.
        async with running_idp(tmp_path, url=idp.url, listen="127.0.0.1:1") as fresh:
            fresh_answer = await fresh.token_for(acme)
            assert fresh_answer.status_code == 503
            assert fresh_answer.json()["code"] == "idp.key_missing"
            assert (await fresh.http.get(f"{fresh.url}/health")).status_code == 503
            assert await fresh.active(acme, token)


async def test_what_cannot_be_recorded_is_not_issued(idp: Idp, acme: Client) -> None:
    """A token without its line in the audit would be one that nobody can account for; what ends one is done all the
    same."""
    stolen = await idp.token(acme)
    with full_disk_under(idp.folder / "audit.jsonl"):
        answer = await idp.token_for(acme)
        assert (answer.status_code, answer.json()["code"]) == (503, "audit.unavailable")
        assert len(await idp.shelves.tokens.all()) == 1
        await idp.ask(acme, "/revoke", token=stolen)
        assert not await idp.active(acme, stolen)


async def test_so_often_and_no_more(tmp_path: Path) -> None:
    """By address: 429 with Retry-After, and no line in the audit for what was not looked at."""
    async with running_idp(tmp_path, requests_per_minute=5) as idp:
        acme = await idp.client()
        statuses = [(await idp.token_for(acme)).status_code for _ in range(5)]
        assert statuses == [200] * 5
        refused = await idp.token_for(acme)
        assert refused.status_code == 429
        assert refused.json()["code"] == "idp.too_many"
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert len(idp.records()) == 5
        assert (await idp.http.get(f"{idp.url}/health")).status_code == 200, "whoever watches is not counted"


def test_one_host_is_one_asker_whatever_its_addresses() -> None:
    """An IPv6 host has 2^64 of them."""
    assert asker_of("2001:db8::1") == asker_of("2001:db8::ffff:1") != asker_of("2001:db8:0:1::1")
    assert asker_of("fe80::1%eth0") == "fe80::/64"
    assert asker_of("::ffff:192.0.2.1") != asker_of("::ffff:192.0.2.2")
    assert asker_of("192.0.2.1") == "192.0.2.1"
    assert asker_of("") == ""


async def test_bodies_are_bounded(idp: Idp) -> None:
    """Before anything in them is believed."""
    answer = await idp.http.post(
        f"{idp.url}/token",
        content=b"a=" + b"x" * MAX_FORM_BYTES,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 413
    answer = await idp.http.post(f"{idp.url}/token", json=GRANT)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke", "/providers/acme/key"])
async def test_secrets_in_an_address_are_not_read(idp: Idp, path: str) -> None:
    """RFC 6749 section 2.3.1: addresses end in logs."""
    acme = await idp.client()
    query = {**GRANT, "client_id": acme.provider.client_id, "client_secret": acme.secret, "token": "x"}
    assert (await idp.http.post(idp.url + path, params=query)).status_code in (400, 401)
    got = await idp.http.get(idp.url + path, params=query)
    assert got.status_code == 405 or "access_token" not in got.text


async def test_a_registry_that_was_damaged_is_not_replaced(idp: Idp) -> None:
    """New keys in silence would end every token that lives."""
    acme = await idp.client()
    await idp.token(acme)
    await idp.store.put(Space.IDP, "keys", b"{", ttl_s=None)
    answer = await idp.token_for(acme)
    assert (answer.status_code, answer.json()["code"]) == (503, "idp.unreadable")
    assert await idp.store.get(Space.IDP, "keys") == b"{"


async def test_errors_are_json_and_are_not_kept(idp: Idp) -> None:
    """RFC 6749 section 5.2."""
    answer = await idp.ask(None, **GRANT)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(msgspec.json.decode(answer.content)) == {"error", "error_description", "code"}


async def test_whatever_is_sent_is_answered_by_a_refusal(idp: Idp) -> None:
    """Hundreds of broken and half-right requests, the same each time: none is a 500, none is granted."""
    acme = await idp.client()
    chance = random.Random(7523)
    names = (
        *("grant_type", "scope", "client_id", "client_secret", "client_assertion", "client_assertion_type"),
        *("tool_id", "tool_version", "tool_provider", "tool_claims", "token", "public_key", "audience"),
    )
    values = (
        "",
        "client_credentials",
        acme.provider.client_id,
        "acme",
        "{}",
        '{"tool_id":',
        "\x00",
        "é",
        "%",
        "x" * 9000,
    )
    paths = ("/token", "/introspect", "/revoke", "/providers/acme/key", "/providers/%2e%2e/key", "/register")
    kinds = (
        "application/x-www-form-urlencoded",
        "application/json",
        "text/plain",
        "",
        "multipart/form-data; boundary=x",
    )
    for _ in range(400):
        pairs = [(chance.choice(names), chance.choice(values)) for _ in range(chance.randrange(6))]
        body = urlencode(pairs).encode() if chance.random() < 0.8 else chance.randbytes(chance.randrange(60))
        headers = {"content-type": chance.choice(kinds)}
        if chance.random() < 0.3:
            headers["authorization"] = chance.choice(
                ("Basic", "Basic eA==", "Basic eDp5", "Bearer x", "basic ==")
            )
        answer = await idp.http.post(idp.url + chance.choice(paths), content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (pairs, body, headers)
        if answer.status_code != 404:
            assert "error" in answer.json()
    assert await idp.shelves.tokens.all() == []
