"""The TypeScript package: compiled by its own strict settings, and run by Node against the double of the gateway."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import jwt
from starlette.responses import JSONResponse, Response

from gateway.client.keys import hash_of_token
from gateway.version import VERSION
from tests.support import typescript
from tests.support.handshake_service import (
    SESSION,
    HandshakeService,
    Posted,
    at,
    handshake_service,
)

TESTS = sorted((Path(__file__).parent / "typescript").glob("*.test.mts"))
REFUND = frozenset({"create_refund"})


def test_the_table_is_the_policys() -> None:
    """Byte for byte what the generator makes of it: no second map that somebody edits."""
    made = typescript.classes_json()
    assert typescript.CLASSES.read_text() == made, "run: python -m tests.support.typescript"


def test_the_package_needs_no_other() -> None:
    """No runtime dependency, and the version of this release."""
    manifest = json.loads((typescript.PACKAGE / "package.json").read_text())
    assert "dependencies" not in manifest
    assert manifest["version"] == VERSION


async def test_it_compiles_and_is_imported_as_javascript(tmp_path: Path) -> None:
    """As it would be published: strict, and usable from plain JavaScript with its declarations."""
    code, printed = await typescript.built(tmp_path)
    assert code == 0, printed
    assert (tmp_path / "dist/index.d.ts").exists()
    program = "const c = await import(process.argv[1]); console.log(c.dataClassOf('create_refund'))"
    entry = (tmp_path / "dist/index.js").as_uri()
    code, printed = await typescript.node("--input-type=module", "--eval", program, entry)
    assert (code, printed.strip().splitlines()[-1]) == (0, "2"), printed


async def test_its_tests_compile() -> None:
    """By the same settings."""
    code, printed = await typescript.checked(TESTS)
    assert code == 0, printed


async def test_it_routes_by_the_same_vectors() -> None:
    """One JSON file for both languages."""
    await passes(named("routing"))


async def test_it_shakes_hands() -> None:
    """With each behaviour of a gateway, and of what stands before one."""
    async with AsyncExitStack() as stack:

        async def running(**how: Any) -> HandshakeService:
            return await stack.enter_async_context(handshake_service(**how))

        asks = await running(asks=REFUND)

        async def decide(posted: Posted) -> Response | None:
            asks.decided = asks.decided or posted.path == "/decide"
            return Response() if posted.path == "/decide" else None

        async def parrot(posted: Posted) -> Response | None:
            return await at("/execute", 403, {"error": f"no: {posted.raw.decode()}"})(posted)

        asks.answer = decide
        elsewhere, proven = await running(), await running()
        moved = at("/authorize", 307, b"", {"location": f"{elsewhere.url}/authorize"})
        services = {
            "usual": await running(),
            "with a proof": proven,
            "target refuses": await running(fails=REFUND),
            "unknown": await running(
                answer=at("/execute", 504, {"error": "?", "code": "upstream.outcome_unknown"})
            ),
            "proxy error": await running(answer=at("/execute", 503, b"<html>")),
            "unreadable": await running(answer=at("/execute", 200, b"<html>")),
            "cut off": await running(answer=at("/execute", 200, b'{"a":')),
            "limited": await running(answer=at("/authorize", 429, {"error": "later"}, {"retry-after": "7"})),
            "redirect": await running(answer=moved),
            "asks": asks,
            "asks for ever": await running(asks=REFUND),
            "refuses with a receipt": await running(
                answer=at("/execute", 403, {"error": "no", "code": "x.y", "callId": "c", "receipt": "j.w.s"})
            ),
            "signs in a header": await running(
                answer=at(
                    "/execute", 403, {"error": "Transaction mismatch"}, {"countersign-receipt": "j.w.s"}
                )
            ),
            "parrot": await running(answer=parrot),
        }
        urls = {name: service.url for name, service in services.items()}
        await passes(named("handshake"), SERVICES=json.dumps(urls))
        assert elsewhere.came == []
        first, second = proven.came
        assert first.body["metadata"] == {"dataClass": 2}
        assert [one.body["proof"] for one in (first, second)] == ["proof-of-depot-create_refund"] * 2
        assert second.headers["x-ephemeral-token"] == second.body["ephemeralToken"]
        assert len(asks.executed) == 1


async def test_it_signs_by_the_same_vectors() -> None:
    """One JSON file for both languages: the other half is ``handshake/test_proof_vectors.py``."""
    await passes(named("signing"))


async def test_it_proves_a_bound_token() -> None:
    """A new proof for each request, for its own URL; the nonce that the gateway wants is used at once, and kept."""

    async def wants_a_nonce(posted: Posted) -> Response | None:
        if jwt.decode(posted.headers["dpop"], options={"verify_signature": False}).get("nonce") == "n-1":
            return None
        headers = {"dpop-nonce": "n-1", "www-authenticate": 'DPoP error="use_dpop_nonce"'}
        return JSONResponse({"error": "Invalid session"}, 401, headers)

    async with handshake_service(answer=wants_a_nonce) as service:
        program = (
            "const c = await import(process.argv[1]);"
            "const key = await c.ProofKey.generate('EdDSA');"
            "const token = new c.BoundToken(process.argv[3], new c.Prover(key));"
            "const client = new c.HandshakeClient(process.argv[2], async () => token);"
            "await client.executeWithHandshake('create_refund', {});"
            "console.log(JSON.stringify(key.jwk), JSON.stringify([token, client]), token, client);"
        )
        entry = (typescript.PACKAGE / "src/index.ts").as_uri()
        words = ("--input-type=module", "--eval", program, entry, service.url, SESSION)
        code, printed = await typescript.node(*words)
        assert code == 0, printed
        assert SESSION not in printed
        assert [one.path for one in service.came] == ["/authorize", "/authorize", "/execute"]
        jwk = jwt.get_unverified_header(service.came[0].headers["dpop"])["jwk"]
        assert json.dumps(jwk, separators=(",", ":")) in printed
        key = jwt.PyJWK(jwk, "EdDSA")
        claims = [jwt.decode(one.headers["dpop"], key, algorithms=["EdDSA"]) for one in service.came]
    assert [one["htu"] for one in claims] == [service.url + one.path for one in service.came]
    assert {one["ath"] for one in claims} == {hash_of_token(SESSION)}
    assert len({one["jti"] for one in claims}) == 3


async def test_its_tools_for_the_ai_sdk_take_the_secure_way() -> None:
    """Vercel's AI SDK, the real package: names and schemas stay, a failure is said and not repeated."""
    script = Path(__file__).parent / "typescript" / "ai_sdk.mts"
    lost = at("/execute", 504, {"error": "?"})
    async with handshake_service() as usual, handshake_service(answer=lost) as unknown:
        services = json.dumps({"usual": usual.url, "unknown": unknown.url})
        package = (typescript.PACKAGE / "src").as_uri()
        code, printed = await typescript.with_ai_sdk(script, {"SERVICES": services, "PACKAGE": package})
        assert code == 0, printed[-6000:]
        assert "# pass 2" in printed
        assert usual.executed == [("create_refund", {"capture_id": "C-1"})]
        assert len(unknown.posts("/execute")) == 1


def named(name: str) -> Path:
    """One of the tests."""
    (found,) = [one for one in TESTS if one.name == f"{name}.test.mts"]
    return found


async def passes(test: Path, **environment: str) -> None:
    """Node's own runner says so, and that it ran something."""
    code, printed = await typescript.node("--test", "--test-reporter=tap", str(test), environment=environment)
    assert code == 0, printed[-6000:]
    assert "# fail 0" in printed
    assert "# pass 0" not in printed
