"""The stored key registry is poisoned. What leaves as the key set is public, asymmetric and named by its thumbprint."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.identity.jwk import parse_key_set
from gateway.idp.key_book import RING
from gateway.state.store import Space
from tests.support.idp import Idp, running_idp
from tests.support.keys import SigningKey

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


async def poisoned(idp: Idp, **members: Any) -> None:
    """The first key of the registry, with other members."""
    ring = msgspec.json.decode(await idp.store.get(Space.IDP, RING) or b"")
    ring["keys"][0] |= members
    await idp.store.put(Space.IDP, RING, msgspec.json.encode(ring), ttl_s=None)


async def test_a_private_or_shared_member_never_leaves(tmp_path: Path) -> None:
    """C34: whatever the record holds, the set is written member by member."""
    async with running_idp(tmp_path) as idp:
        await idp.token(await idp.client())
        jwk = next(iter((await idp.jwks()).values()))
        await poisoned(
            idp,
            jwk={**{name: jwk[name] for name in ("kty", "crv", "x", "y")}, "d": "c2VjcmV0", "k": "c2VjcmV0"},
        )
        answer = await idp.http.get(f"{idp.url}/.well-known/jwks.json")
        assert answer.status_code == 200
        (found,) = answer.json()["keys"]
        assert not PRIVATE & set(found)
        assert b"c2VjcmV0" not in answer.content
        assert len(parse_key_set(answer.content).keys) == 1


@pytest.mark.parametrize("algorithm", ["HS256", "none", "RS512", "", None])
async def test_an_algorithm_that_is_none_of_ours_makes_the_registry_unreadable(
    tmp_path: Path, algorithm: str | None
) -> None:
    """503, not a set with a key that a careless verifier takes for a shared secret."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        token = await idp.token(acme)
        await poisoned(idp, algorithm=algorithm)
        answer = await idp.http.get(f"{idp.url}/.well-known/jwks.json")
        assert (answer.status_code, answer.json()["code"]) == (503, "idp.unreadable")
        assert (await idp.ask(acme, "/introspect", token=token)).status_code == 503
        assert (await idp.token_for(acme)).status_code == 503


async def test_a_key_under_another_keys_name_verifies_nothing_that_it_signs(tmp_path: Path) -> None:
    """The registry names the attacker's key as ours: it is not handed out, and nothing is believed meanwhile."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        token = await idp.token(acme)
        claims = await idp.verified(token)
        kid = next(iter(await idp.jwks()))
        his = SigningKey("ES256", kid)
        public = his.public_jwk()
        await poisoned(idp, jwk={name: public[name] for name in ("kty", "crv", "x", "y")})
        answer = await idp.http.get(f"{idp.url}/.well-known/jwks.json")
        assert (answer.status_code, answer.json()["code"]) == (503, "idp.unreadable")
        assert public["x"] not in answer.text
        forged = his.sign(claims, typ="etdi+jwt")
        assert (await idp.ask(acme, "/introspect", token=forged)).status_code == 503
