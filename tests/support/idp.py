"""The identity provider on a real socket, over a real store, with a clock that a test can move; and its clients."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette

from gateway.identity_provider import Shelves, idp_routes, shelves_of
from gateway.idp.provider import About, Provider, Status
from gateway.parts import open_audit
from gateway.serving import serving
from gateway.settings import Settings
from gateway.settings.idp import issuer_of
from gateway.settings.idp_model import IdpSettings
from gateway.settings.model import AuditSettings, StateSettings
from gateway.state.open import open_store
from gateway.state.store import Store
from tests.support.house import ShiftedClock
from tests.support.keys import SigningKey
from tests.support.ports import free_port

AUDIENCE = "https://gateway.example/etdi"
READ = "tool:files:read"


def pem_of(key: Any) -> str:
    """The public half of any private key, as PEM."""
    public: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return public.decode()


async def unrecorded(_: Provider) -> None:
    """A record that somebody else keeps."""


@dataclass(kw_only=True)
class Client:
    """A registered provider as it acts: its credentials and its private key."""

    provider: Provider
    secret: str = field(repr=False)
    key: SigningKey = field(repr=False)

    @property
    def basic(self) -> tuple[str, str]:
        """For httpx."""
        return self.provider.client_id, self.secret


@dataclass(kw_only=True)
class Idp:
    """One identity provider."""

    url: str
    http: httpx.AsyncClient = field(repr=False)
    store: Store = field(repr=False)
    shelves: Shelves
    clock: ShiftedClock
    settings: Settings = field(repr=False)
    folder: Path

    async def client(self, provider_id: str = "acme", **changes: Any) -> Client:
        """An approved provider with a key, the scope :data:`READ` and all tools that begin with its name."""
        key = SigningKey("ES256", None)
        wanted: dict[str, Any] = {
            "public_key": pem_of(key.private),
            "status": Status.APPROVED,
            "scopes": (READ,),
            "tools": (f"{provider_id}.*",),
            "record": unrecorded,
            **changes,
        }
        provider, secret = await self.shelves.providers.register(
            About(name=provider_id), provider_id=provider_id, **wanted
        )
        return Client(provider=provider, secret=secret, key=key)

    async def ask(
        self, client: Client | None, path: str = "/token", *, auth: Any = None, **form: str
    ) -> httpx.Response:
        """A form, by default with the client's secret in the header."""
        shown = auth if auth is not None or client is None else client.basic
        return await self.http.post(self.url + path, data=form, auth=shown)

    async def token_for(self, client: Client, **form: str) -> httpx.Response:
        """A token request for one of its tools."""
        asked = {
            "grant_type": "client_credentials",
            "scope": READ,
            "tool_id": f"{client.provider.id}.read",
            "tool_version": "1.0.0",
            "tool_provider": client.provider.id,
            **form,
        }
        return await self.ask(client, **{name: value for name, value in asked.items() if value})

    async def token(self, client: Client, **form: str) -> str:
        """A token that is granted."""
        answer = await self.token_for(client, **form)
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert isinstance(token, str)
        return token

    async def introspected(self, client: Client, token: str) -> dict[str, Any]:
        """The answer of RFC 7662."""
        answer = await self.ask(client, "/introspect", token=token)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def active(self, client: Client, token: str) -> bool:
        """Whether it says that the token is good; what is not good is said in one word."""
        answer = await self.introspected(client, token)
        assert answer["active"] is True or answer == {"active": False}
        return bool(answer["active"])

    async def jwks(self) -> dict[str, dict[str, Any]]:
        """The key set, by key id."""
        answer = await self.http.get(f"{self.url}/.well-known/jwks.json")
        assert answer.status_code == 200, answer.text
        return {key["kid"]: key for key in answer.json()["keys"]}

    async def verified(self, token: str) -> dict[str, Any]:
        """The claims, as a verifier reads them that knows PyJWT and the key set and nothing of ours.

        :raises jwt.PyJWTError: it does not verify.
        """
        header = jwt.get_unverified_header(token)
        found = (await self.jwks()).get(header["kid"])
        if found is None:
            raise jwt.InvalidKeyError("no such key")
        claims: dict[str, Any] = jwt.decode(
            token,
            jwt.PyJWK(found).key,
            algorithms=[found["alg"]],
            audience=AUDIENCE,
            issuer=issuer_of(self.settings),
            options={"verify_exp": False, "verify_iat": False},
        )
        return claims

    def records(self) -> list[dict[str, Any]]:
        """Closing records of the audit."""
        lines = [
            msgspec.json.decode(line)
            for path in sorted(self.folder.glob("audit*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]
        found = [line["record"] for line in lines if "record" in line]
        return [one for one in found if one["status"] != "opened"]

    def assertion(self, client: Client, *, key: SigningKey | None = None, **claims: Any) -> dict[str, str]:
        """The two parameters of ``private_key_jwt``; claims given as None are left out."""
        now = int(self.clock())
        made: Mapping[str, Any] = {
            "iss": client.provider.client_id,
            "sub": client.provider.client_id,
            "aud": issuer_of(self.settings),
            "iat": now,
            "exp": now + 60,
            "jti": f"jti-{time.perf_counter_ns()}",
            **claims,
        }
        kept = {name: value for name, value in made.items() if value is not None}
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": (key or client.key).sign(kept, typ="JWT"),
        }


def idp_settings(folder: Path, port: int, state_url: str | None = None, **idp: Any) -> Settings:
    """Settings of an identity provider at the root of a port."""
    chosen: dict[str, Any] = {
        "url": f"http://127.0.0.1:{port}",
        "listen": f"127.0.0.1:{port}",
        "audience": AUDIENCE,
        "folder": str(folder / "keys"),
        "requests_per_minute": 0,
        **idp,
    }
    return Settings(
        state=StateSettings(url=state_url or f"sqlite:///{folder / 'state.sqlite3'}"),
        audit=AuditSettings(path=str(folder / "audit.jsonl")),
        idp=IdpSettings(**chosen),
    )


@asynccontextmanager
async def running_idp(
    folder: Path, *, state_url: str | None = None, store: Store | None = None, **idp: Any
) -> AsyncIterator[Idp]:
    """An identity provider on a free port; ``idp`` are its settings, ``store`` one of the test's own."""
    port = free_port()
    settings = idp_settings(folder, port, state_url, **idp)
    clock = ShiftedClock()
    mine = store if store is not None else open_store(settings.state.url)
    try:
        async with (
            open_audit(settings) as audit,
            httpx.AsyncClient(timeout=30, trust_env=False) as http,
        ):
            app = Starlette(routes=idp_routes(settings, mine, audit, now=clock))
            async with serving(app, port=port):
                yield Idp(
                    url=f"http://127.0.0.1:{port}",
                    http=http,
                    store=mine,
                    shelves=shelves_of(settings, mine, now=clock),
                    clock=clock,
                    settings=settings,
                    folder=folder,
                )
    finally:
        if store is None:
            await mine.aclose()


def tool_claims(**members: Any) -> str:
    """The JSON form field."""
    return json.dumps(members)


def weak_curve() -> Any:
    """A key on a curve that nobody here verifies with."""
    return ec.generate_private_key(ec.SECP256K1())
