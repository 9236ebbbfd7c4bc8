"""The route that OPA polls: who gets a bundle, and when it is sent again."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from gateway.bundle.building import Built
from gateway.bundle.pages import bundle_routes
from gateway.bundle.shelf import BundleShelf
from tests.support.bundles import Pair, signed_archive

TOKEN = "unsafe-test-token-for-bundles-1"
PATH = "/bundles/small.tar.gz"


def a_client(
    folder: Path, pair: Pair, *, token: str | None = None, peer: str = "127.0.0.1", host: str = "127.0.0.1"
) -> httpx.AsyncClient:
    """Somebody who asks from ``peer`` for ``host``."""
    shelf = BundleShelf(folder, pair.private.public_key(), scope="")
    transport = httpx.ASGITransport(Starlette(routes=bundle_routes(shelf, token=token)), client=(peer, 1))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


@pytest.fixture
def folder(tmp_path: Path, pair: Pair, built: Built) -> Path:
    """With one good bundle."""
    made = tmp_path / "dist"
    made.mkdir()
    (made / "small.tar.gz").write_bytes(signed_archive(built.files, pair))
    return made


async def test_it_is_sent_once(folder: Path, pair: Pair) -> None:
    """And then only its ETag, until it is another one."""
    async with a_client(folder, pair) as client:
        first = await client.get(PATH)
        assert first.status_code == 200
        assert first.headers["content-type"] == "application/gzip"
        assert first.content == (folder / "small.tar.gz").read_bytes()
        etag = first.headers["etag"]
        for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
            again = await client.get(PATH, headers={"if-none-match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert (await client.get(PATH, headers={"if-none-match": '"x"'})).status_code == 200
        assert (await client.head(PATH)).headers["etag"] == etag
        assert (await client.post(PATH)).status_code == 405


async def test_what_is_not_there(folder: Path, pair: Pair) -> None:
    """404 with a code, whatever is asked for."""
    async with a_client(folder, pair) as client:
        for name in ("other", "..%2fkeys%2fbundle", "%2e%2e", "small.tar.gz%00"):
            answer = await client.get(f"/bundles/{name}.tar.gz")
            assert answer.status_code == 404
        assert (await client.get("/bundles/other.tar.gz")).json()["error"] == "bundle.not_found"


async def test_with_a_token_only_whoever_shows_it(folder: Path, pair: Pair) -> None:
    """From anywhere; and the token is not guessed at by its beginning."""
    async with a_client(folder, pair, token=TOKEN, peer="192.0.2.7", host="gateway") as client:
        assert (await client.get(PATH, headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200
        for shown in ("", f"Bearer {TOKEN[:-1]}", f"bearer {TOKEN}", f"Bearer {TOKEN} ", "Bearer é", TOKEN):
            answer = await client.get(PATH, headers={b"authorization": shown.encode("latin-1")})
            assert (answer.status_code, answer.json()["error"]) == (401, "bundle.token_invalid")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert TOKEN not in answer.text
        assert (await client.get(PATH)).status_code == 401


@pytest.mark.parametrize(
    ("peer", "host", "headers"),
    [
        ("192.0.2.7", "127.0.0.1", {}),
        ("127.0.0.1", "evil.example", {}),
        ("127.0.0.1", "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}),
        ("127.0.0.1", "127.0.0.1", {"forwarded": "for=127.0.0.1"}),
        ("127.0.0.1", "127.0.0.1", {"via": "1.1 proxy"}),
    ],
)
async def test_without_a_token_this_machine_alone(
    folder: Path, pair: Pair, peer: str, host: str, headers: dict[str, str]
) -> None:
    """Not through a proxy, and not through a browser that was led here by a name."""
    async with a_client(folder, pair, peer=peer, host=host) as client:
        answer = await client.get(PATH, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (403, "bundle.forbidden")
