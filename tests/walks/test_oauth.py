"""OAuth at a running gateway: proofs, sessions, opaque tokens, step-up, nonces, and how a client finds its way in."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.door.endpoint import STRANGER_BODY_BYTES
from gateway.identity.jwk import jwk_thumbprint
from gateway.identity.metadata import WELL_KNOWN
from gateway.identity.proofs import NONCE_SLOT_S
from gateway.identity.static import StaticToken, hash_static_token
from gateway.settings.model import DpopSettings, Hidden, IdentitySettings, IssuerSettings
from tests.support.answers import codes_of, status_of
from tests.support.calls import invoice
from tests.support.house import MODERN, MODERN_META, House, running_house
from tests.support.issuer_server import answer, running_issuer
from tests.support.oauth import (
    CLIENT_KEY,
    ISSUER,
    challenges,
    proof_for,
    read,
    resource,
    shown,
    token_for,
    trusting,
)
from tests.support.policy_copies import copied, edit_data, judged_by
from tests.support.traces import Trace

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "h", "version": "1"}}
ALL = ["pay:read", "pay:write"]


def proven(house: House, token: str, **how: Any) -> dict[str, str]:
    """The header fields with a new proof."""
    return shown(token, proof_for(house, token, **how))


@pytest.mark.parametrize("server", ["", "paypal"])
@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_call_with_a_proof(tmp_path: Path, era: str, server: str) -> None:
    """It reaches PayPal, and the record names who proved the key."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)
        trace = Trace(house)
        done = await read(house, proven(house, token, server=server), era=era, server=server)
        assert status_of(done.json()) == "executed"
        assert len(trace.paypal) == 1
        caller = trace.record["caller"]
        assert (caller["issuer"], caller["subject"], caller["client_id"]) == (ISSUER, "alice", "host")


async def test_the_policy_can_ask_for_a_proof(tmp_path: Path) -> None:
    """``proof_required``: the gateway tells the policy that the key was proven, and that of a bearer token not."""
    policies = copied(tmp_path)
    edit_data(policies, "identity", proof_required=[4])
    async with running_house(tmp_path, policy=judged_by(policies), identity=trusting(tmp_path)) as house:
        bearer = await read(house, shown(token_for(house, bound=False)))
        assert status_of(bearer.json()) == "refused"
        assert "identity.proof_required" in codes_of(bearer.json())
        token = token_for(house)
        assert status_of((await read(house, proven(house, token))).json()) == "executed"


async def test_a_session_with_proofs(tmp_path: Path) -> None:
    """Each request of a session is identified twice, and its proof is not its own replay; used again, it is one."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)
        begun = await house.rpc("initialize", HELLO, token=None, era="legacy", headers=proven(house, token))
        session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        posted = proven(house, token)
        assert status_of((await read(house, {**session, **posted}, era="legacy")).json()) == "executed"
        again = await read(house, {**session, **posted}, era="legacy")
        assert (again.status_code, codes_of(again.json())) == (401, ["identity.proof_replayed"])

        listening = {**session, "accept": "text/event-stream", **proven(house, token, htm="GET")}
        async with house.http.stream("GET", "/mcp", headers=listening) as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")
        assert (await house.http.get("/mcp", headers=listening)).status_code == 401

        for method, status in (("POST", 401), ("DELETE", 204), ("DELETE", 404)):
            headers = {**session, **proven(house, token, htm=method)}
            assert (await house.http.delete("/mcp", headers=headers)).status_code == status


async def test_a_subscription_with_a_proof(tmp_path: Path) -> None:
    """The stream of the newer era opens with a proof; without one there is a 401 and no stream."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)
        params = {"notifications": {"toolsListChanged": True}, "_meta": MODERN_META}
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        fields = {
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": MODERN,
            "mcp-method": "subscriptions/listen",
        }
        refused = await house.http.post("/mcp", json=body, headers={**fields, **shown(token)})
        assert (refused.status_code, codes_of(refused.json())) == (401, ["identity.proof_missing"])
        told = [one for phase in ("call", "passage", "list") for one in house.records(phase)]
        assert [one["error"] for one in told] == ["identity.proof_missing"]
        headers = {**fields, **proven(house, token)}
        async with house.http.stream("POST", "/mcp", json=body, headers=headers) as stream:
            assert stream.status_code == 200
            assert stream.headers["content-type"].startswith("text/event-stream")


async def test_a_stream_that_the_policy_refuses(tmp_path: Path) -> None:
    """Known, and without the role for it: the session has no stream, and the audit one record of that."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        bearer = shown(token_for(house, bound=False, roles=[]))
        begun = await house.rpc("initialize", HELLO, token=None, era="legacy", headers=bearer)
        session = {"mcp-session-id": begun.headers["mcp-session-id"], "accept": "text/event-stream"}
        refused = await house.http.get("/mcp", headers={**session, **bearer})
        assert codes_of(refused.json()) == ["passage.role_missing"]
        (told,) = [one for phase in ("call", "passage") for one in house.records(phase)]
        assert (told["status"], told["caller"]["subject"]) == ("refused", "alice")


async def test_a_fixed_token_that_is_bound(tmp_path: Path) -> None:
    """No issuer at all: the operator wrote the key beside the hash, and the token is worth nothing without it."""
    fixed = "unsafe-fixed-token-that-is-bound-01"
    row = StaticToken(
        sha256=hash_static_token(fixed),
        subject="robot",
        roles=("agent",),
        key_thumbprint=jwk_thumbprint(CLIENT_KEY.public_jwk()),
    )
    async with running_house(tmp_path, identity=IdentitySettings(tokens=(row,))) as house:
        trace = Trace(house)
        refused = await read(house, shown(fixed))
        assert [one.partition(" ")[0] for one in challenges(refused)] == ["DPoP"]
        trace.refused_unseen("identity.proof_missing")
        assert status_of((await read(house, proven(house, fixed))).json()) == "executed"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_token_ends_in_the_middle_of_a_session(tmp_path: Path, era: str) -> None:
    """What was verified before is not good for ever: neither the remembered token, nor the session opened with it."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)

        def fresh(**how: Any) -> dict[str, str]:
            return proven(house, token, iat=int(house.clock()), **how)

        session = {}
        if era == "legacy":
            begun = await house.rpc("initialize", HELLO, token=None, era=era, headers=fresh())
            session = {"mcp-session-id": begun.headers["mcp-session-id"]}
        assert status_of((await read(house, {**session, **fresh()}, era=era)).json()) == "executed"
        house.clock.advance(601)
        trace = Trace(house)
        late = await read(house, {**session, **fresh()}, era=era)
        assert late.status_code == 401
        assert 'error="invalid_token"' in challenges(late)[0]
        trace.refused_unseen("identity.token_expired")


async def test_a_large_call_with_a_proof(tmp_path: Path) -> None:
    """A body that is not parsed for strangers: the caller is recognised before it and after it, by one proof."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)
        arguments = invoice("x" * (STRANGER_BODY_BYTES + 1))
        params = {"name": "create_invoice", "arguments": arguments}
        answered = await house.rpc("tools/call", params, token=None, headers=proven(house, token))
        assert answered.status_code == 200
        assert house.records()[-1]["caller"]["subject"] == "alice"
        bare = await house.rpc("tools/call", params, token=None, headers=shown(token))
        assert (bare.status_code, codes_of(bare.json())) == (401, ["identity.proof_missing"])


async def test_an_opaque_token(tmp_path: Path) -> None:
    """The issuer is asked once, what it says is remembered, and a binding that it names is kept."""
    async with running_issuer() as issuer:
        identity = trusting(tmp_path)
        asked: dict[str, Any] = {
            "issuer": issuer.url,
            "role_claim": ("roles",),
            "introspection_url": f"{issuer.url}/introspect",
            "introspection_client_id": "gateway",
            "introspection_client_secret": Hidden("unsafe-secret-of-the-gateway"),
        }
        one = IssuerSettings(**asked)
        async with running_house(
            tmp_path, identity=IdentitySettings(issuers=(*identity.issuers, one))
        ) as house:
            said: dict[str, Any] = {
                "active": True,
                "sub": "bob",
                "aud": resource(house),
                "exp": int(time.time()) + 600,
                "roles": ["agent"],
            }
            issuer.routes["/introspect"] = answer(json.dumps(said).encode())
            trace = Trace(house)
            for _ in range(2):
                done = await read(house, shown("an-opaque-token-of-bob-000001"))
                assert status_of(done.json()) == "executed"
            assert issuer.hits["/introspect"] == 1
            assert {one["caller"]["subject"] for one in trace.records} == {"bob"}

            thumbprint = jwk_thumbprint(CLIENT_KEY.public_jwk())
            issuer.routes["/introspect"] = answer(json.dumps({**said, "cnf": {"jkt": thumbprint}}).encode())
            bound = "an-opaque-token-of-bob-000002"
            trace = Trace(house)
            assert (await read(house, shown(bound))).status_code == 401
            trace.refused_unseen("identity.proof_missing")
            assert status_of((await read(house, proven(house, bound))).json()) == "executed"

            issuer.routes["/introspect"] = answer(json.dumps({"active": False}).encode())
            trace = Trace(house)
            assert (await read(house, shown("an-opaque-token-of-bob-000003"))).status_code == 401
            trace.refused_unseen("identity.token_invalid", "identity.token_expired")

            # Nobody can tell: that is no 401, which would make clients throw good tokens away.
            issuer.routes["/introspect"] = answer(b"", status=500)
            trace = Trace(house)
            assert (await read(house, shown("an-opaque-token-of-bob-000004"))).status_code == 503
            assert trace.paypal == []
            assert trace.record["error"] == "identity.unavailable"


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_step_up(tmp_path: Path, era: str) -> None:
    """HTTP 403 with all the scopes of the call at once; with them the very call goes on. Older hosts are told too."""
    policies = copied(tmp_path)
    edit_data(policies, "identity", scopes={"4": ["pay:read"], "3": ALL})
    identity = trusting(tmp_path, scopes=("pay:read",))
    async with running_house(tmp_path, policy=judged_by(policies), identity=identity) as house:
        little = token_for(house, bound=False, scope="pay:read")
        assert status_of((await read(house, shown(little), era=era)).json()) == "executed"
        params = {"name": "create_invoice", "arguments": invoice("step up")}
        trace = Trace(house)
        refused = await house.rpc("tools/call", params, token=None, era=era, headers=shown(little))
        assert refused.status_code == 403
        wanted = f'error="insufficient_scope", scope="{" ".join(ALL)}"'
        where = f'resource_metadata="{house.url}{WELL_KNOWN}/mcp"'
        bearer, dpop = challenges(refused)
        assert bearer == f"Bearer {wanted}, {where}"
        assert dpop.startswith(f"DPoP {wanted}, {where}")
        assert refused.json()["id"] == house.ids
        assert refused.json()["error"]["data"]["scopes"] == ALL
        trace.refused_unseen("identity.scope_missing")

        more = token_for(house, bound=False, scope=" ".join(ALL))
        waiting = await house.rpc("tools/call", params, token=None, era=era, headers=shown(more))
        assert status_of(waiting.json()) == "handshake_required"


async def test_no_step_up_where_more_scopes_would_not_help(tmp_path: Path) -> None:
    """A role is missing as well: the refusal is an ordinary one, and nobody is asked for rights in vain."""
    policies = copied(tmp_path)
    edit_data(policies, "identity", scopes={"4": ["pay:read"]})
    async with running_house(tmp_path, policy=judged_by(policies), identity=trusting(tmp_path)) as house:
        trace = Trace(house)
        refused = await read(house, shown(token_for(house, bound=False, roles=[])))
        assert refused.status_code == 200
        assert challenges(refused) == []
        assert status_of(refused.json()) == "refused"
        trace.refused_unseen("identity.role_missing")


async def test_the_metadata_of_each_path(tmp_path: Path) -> None:
    """From the challenge to the document and back: ``resource`` is the very URL that was asked (RFC 9728 3.3)."""
    identity = trusting(tmp_path, scopes=("pay:read",), dpop=DpopSettings(algorithms=("ES256",)))
    async with running_house(tmp_path, identity=identity) as house:
        for server in ("", "paypal"):
            stranger = await read(house, {}, server=server)
            assert stranger.status_code == 401
            bearer, dpop = challenges(stranger)
            path = f"{WELL_KNOWN}/mcp" + (f"/{server}" if server else "")
            assert f'resource_metadata="{house.url}{path}"' in bearer
            assert "error" not in bearer
            assert dpop.startswith("DPoP ")
            document = (await house.http.get(path)).json()
            assert document["resource"] == resource(house, server)
            assert document["authorization_servers"] == [ISSUER]
            assert document["scopes_supported"] == ["pay:read"]
            assert document["dpop_signing_alg_values_supported"] == ["ES256"]
        root = (await house.http.get(WELL_KNOWN)).json()
        assert root["resource"] == resource(house)
        assert (await house.http.get(f"{WELL_KNOWN}/mcp/elsewhere")).status_code == 404


async def test_without_issuers_there_is_no_metadata(tmp_path: Path) -> None:
    """Static tokens only: a client is sent nowhere."""
    async with running_house(tmp_path) as house:
        assert challenges(await read(house, {})) == ["Bearer"]
        assert (await house.http.get(f"{WELL_KNOWN}/mcp")).status_code == 404


async def test_nonces(tmp_path: Path) -> None:
    """The first proof is sent back with a nonce and is not used up; a nonce of long ago is as good as none."""
    secret = Hidden("unsafe-secret-of-nonces-for-tests-01")
    identity = trusting(tmp_path, dpop=DpopSettings(nonce_secret=secret))
    async with running_house(tmp_path, identity=identity) as house:
        token = token_for(house)

        def now() -> int:
            return int(house.clock())

        trace = Trace(house)
        asked = await read(house, proven(house, token, jti="one", iat=now()))
        assert asked.status_code == 401
        (challenge,) = challenges(asked)
        assert challenge.startswith('DPoP error="use_dpop_nonce"')
        trace.refused_unseen("identity.proof_nonce")
        nonce = asked.headers["dpop-nonce"]
        assert secret not in nonce
        done = await read(house, proven(house, token, jti="one", iat=now(), nonce=nonce))
        assert status_of(done.json()) == "executed"

        house.clock.advance(2 * NONCE_SLOT_S)
        trace = Trace(house)
        stale = await read(house, proven(house, token, iat=now(), nonce=nonce))
        assert stale.status_code == 401
        trace.refused_unseen("identity.proof_nonce")
        assert stale.headers["dpop-nonce"] != nonce
        renewed = proven(house, token, iat=now(), nonce=stale.headers["dpop-nonce"])
        assert status_of((await read(house, renewed)).json()) == "executed"


async def test_where_tokens_must_be_bound(tmp_path: Path) -> None:
    """A good bearer token is refused, and the challenge and the document say what is wanted instead."""
    identity = trusting(tmp_path, dpop=DpopSettings(required=True))
    async with running_house(tmp_path, identity=identity) as house:
        trace = Trace(house)
        refused = await read(house, shown(token_for(house, bound=False)))
        assert refused.status_code == 401
        assert [one.partition(" ")[0] for one in challenges(refused)] == ["DPoP"]
        trace.refused_unseen("identity.token_unbound")
        document = (await house.http.get(f"{WELL_KNOWN}/mcp")).json()
        assert document["dpop_bound_access_tokens_required"] is True
        token = token_for(house)
        assert status_of((await read(house, proven(house, token))).json()) == "executed"
