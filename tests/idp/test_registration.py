"""Registration over HTTP, and the keys of providers (R116, R120)."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.idp.provider import Status, hashed
from gateway.idp.providers import MAX_PENDING
from gateway.state.store import Space
from tests.support.idp import Client, Idp, pem_of, running_idp, weak_curve
from tests.support.keys import SigningKey


def wanted(**changes: Any) -> dict[str, Any]:
    """A registration; members given as None are left out."""
    made = {
        "name": "Acme Tools",
        "description": "Reads files.",
        "contactEmail": "tools@acme.example",
        "website": "https://acme.example",
        "publicKey": pem_of(SigningKey("ES256", None).private),
        "callbackUrl": "https://acme.example/etdi",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


async def test_off_by_default(idp: Idp) -> None:
    """There is no such address."""
    assert (await idp.http.post(f"{idp.url}/register", json=wanted())).status_code == 404
    assert await idp.shelves.providers.all() == []


async def test_who_registers_waits_and_has_nothing(tmp_path: Path) -> None:
    """PENDING, no scope, no tool; the secret is said once, and only its hash is kept."""
    async with running_idp(tmp_path, registration=True) as idp:
        answer = await idp.http.post(f"{idp.url}/register", json=wanted())
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        made = answer.json()
        assert set(made) == {"providerId", "clientId", "clientSecret", "registrationStatus"}
        assert made["registrationStatus"] == "PENDING"
        (kept,) = await idp.shelves.providers.all()
        assert (kept.status, kept.scopes, kept.tools) == (Status.PENDING, (), ())
        assert kept.secret_sha256 == hashed(made["clientSecret"])
        dump = [value for space in Space for _, value in await idp.store.entries(space, limit=1000)]
        assert made["clientSecret"].encode() not in b"".join(dump)
        auth = (made["clientId"], made["clientSecret"])
        refused = await idp.ask(None, auth=auth, grant_type="client_credentials")
        assert refused.json()["error_description"] == "Provider not approved"
        assert [one["reasons"] for one in idp.records()] == [
            ["idp.provider_registered"],
            ["idp.not_approved"],
        ]
        unapproved = await idp.http.get(f"{idp.url}/providers/{made['providerId']}/key")
        assert unapproved.status_code == 404


async def test_without_approval_required_it_is_approved_and_still_has_nothing(tmp_path: Path) -> None:
    """R116's other branch: it may ask for tokens, of no scope and no tool."""
    async with running_idp(tmp_path, registration=True, approval_required=False) as idp:
        made = (await idp.http.post(f"{idp.url}/register", json=wanted())).json()
        assert made["registrationStatus"] == "APPROVED"
        auth = (made["clientId"], made["clientSecret"])
        tool = {"tool_id": "any", "tool_version": "1"}
        for form in ({"scope": "tool:files:read"}, tool):
            answer = await idp.ask(None, auth=auth, grant_type="client_credentials", **form)
            assert answer.status_code == 400


@pytest.mark.parametrize(
    "key",
    [
        pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
        pem_of(weak_curve()),
        "-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n",
        "",
        None,
    ],
)
async def test_a_key_that_cannot_be_used_is_refused_in_the_words_of_the_source(
    tmp_path: Path, key: str | None
) -> None:
    """Weak RSA, a wrong curve, a private key, none at all."""
    async with running_idp(tmp_path, registration=True) as idp:
        answer = await idp.http.post(f"{idp.url}/register", json=wanted(publicKey=key))
        assert (answer.status_code, answer.json()["error_description"]) == (400, "Invalid public key format")
        assert await idp.shelves.providers.all() == []


async def test_what_is_no_registration_is_refused(tmp_path: Path) -> None:
    """Hostile members, other content types, too much of it; nothing is kept."""
    async with running_idp(tmp_path, registration=True) as idp:
        bodies: list[Any] = [
            wanted(name=None),
            wanted(name=1),
            wanted(name="pay\u202epal"),
            wanted(website="javascript:alert(1)"),
            wanted(scopes="*"),
            wanted(status="APPROVED"),
            [],
            "x",
        ]
        for body in bodies:
            answer = await idp.http.post(f"{idp.url}/register", json=body)
            assert (answer.status_code, answer.json()["code"]) == (400, "idp.registration")
        twice = b'{"name": "a", "name": "b"}'
        headers = {"content-type": "application/json"}
        answer = await idp.http.post(f"{idp.url}/register", content=twice, headers=headers)
        assert answer.status_code == 400
        answer = await idp.http.post(f"{idp.url}/register", data={"name": "form"})
        assert answer.status_code == 400
        answer = await idp.http.post(f"{idp.url}/register", json=wanted(description="x" * 40_000))
        assert answer.status_code == 413
        assert await idp.shelves.providers.all() == []


async def test_so_many_may_wait_and_no_more(tmp_path: Path) -> None:
    """Strangers cannot bury those whom somebody wants to approve."""
    async with running_idp(tmp_path, registration=True) as idp:
        for number in range(MAX_PENDING):
            await idp.client(f"p{number}", status=Status.PENDING, tools=())
        answer = await idp.http.post(f"{idp.url}/register", json=wanted())
        assert answer.status_code == 429
        assert "retry-after" in answer.headers


async def test_strangers_register_so_fast_and_no_faster(tmp_path: Path) -> None:
    """All of them together: whoever has many addresses has no more of it."""
    async with running_idp(tmp_path, registration=True) as idp:
        answers = [await idp.http.post(f"{idp.url}/register", json=wanted()) for _ in range(12)]
        assert [one.status_code for one in answers].count(201) <= 11
        assert answers[-1].status_code == 429
        assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_the_key_of_a_provider(idp: Idp, acme: Client) -> None:
    """R120, member by member; whoever is not there, or has no key, is said in its words."""
    answer = await idp.http.get(f"{idp.url}/providers/acme/key")
    found = answer.json()
    assert found["publicKey"] == pem_of(acme.key.private)
    assert {name: found[name] for name in ("providerId", "providerName", "algorithm", "revoked")} == {
        "providerId": "acme",
        "providerName": "acme",
        "algorithm": "ES256",
        "revoked": False,
    }
    assert found["keyId"] == acme.provider.keys[0].kid
    assert found["validFrom"].endswith("Z")
    assert "validUntil" not in found
    missing = await idp.http.get(f"{idp.url}/providers/nobody/key")
    assert (missing.status_code, missing.json()["error_description"]) == (404, "Provider not found: nobody")
    await idp.shelves.providers.change(
        "acme", lambda one, now: one.with_revoked(acme.provider.keys[0].kid, now)
    )
    none = await idp.http.get(f"{idp.url}/providers/acme/key")
    assert (none.status_code, none.json()["error_description"]) == (
        404,
        "No active key found for provider: acme",
    )


async def test_a_provider_hands_in_its_next_key_and_an_operator_puts_it_into_force(
    idp: Idp, acme: Client
) -> None:
    """R123, C36: the private half never leaves the provider; until the approval the pinned one goes on."""
    new = SigningKey("ES256", None)
    answer = await idp.ask(acme, "/providers/acme/key", public_key=pem_of(new.private))
    assert answer.status_code == 202
    kid = answer.json()["keyId"]
    assert (await idp.http.get(f"{idp.url}/providers/acme/key")).json()["keyId"] == acme.provider.keys[0].kid
    assert (
        await idp.ask(None, grant_type="client_credentials", **idp.assertion(acme, key=new))
    ).status_code == 401
    await idp.shelves.providers.change("acme", lambda one, now: one.with_approved(kid, now))
    assert (await idp.http.get(f"{idp.url}/providers/acme/key")).json()["keyId"] == kid
    assert (
        await idp.ask(None, grant_type="client_credentials", **idp.assertion(acme, key=new))
    ).status_code == 200
    assert (await idp.ask(None, grant_type="client_credentials", **idp.assertion(acme))).status_code == 401
    assert ["idp.provider_key_proposed"] in [one["reasons"] for one in idp.records()]


async def test_nobody_hands_in_a_key_of_somebody_else(idp: Idp, acme: Client) -> None:
    """Whoever's credentials they are."""
    other = await idp.client("other")
    pem = pem_of(SigningKey("ES256", None).private)
    answer = await idp.ask(other, "/providers/acme/key", public_key=pem)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    bad = await idp.ask(acme, "/providers/acme/key", public_key="no key")
    assert bad.json()["error_description"] == "Invalid public key format"
    found = await idp.shelves.providers.find("acme")
    assert found is not None
    assert found.proposed() is None
