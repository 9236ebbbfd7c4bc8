"""The runbook, performed: each command as docs/operations/incident.md has it, and what became of the next call."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gateway.idp.public_key import read_public_key
from tests.cli.conftest import Ran, Run
from tests.support import acme
from tests.support.acme import Chain, mounted_chain
from tests.support.answers import codes_of, status_of
from tests.support.house import House
from tests.support.idp import unrecorded

RUNBOOK = Path(__file__).parents[2] / "docs" / "operations" / "incident.md"
Config = Callable[..., Path]


def commands() -> dict[str, list[str]]:
    """The commands of each section of the runbook, in order."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in RUNBOOK.read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("    countersign "):
            found.setdefault(section, []).append(line.strip().removeprefix("countersign "))
    return found


def settings_file(house: House, config: Config, folder: Path) -> None:
    """The file from which commands on this host learn the settings of the gateway that runs."""
    settings = house.settings
    issuer, key = settings.etdi.issuers[0], settings.etdi.provider_keys[0]
    config(
        public_url=settings.public_url,
        listen=settings.listen,
        state={"url": settings.state.url},
        audit={"path": settings.audit.path},
        approvals={"seal": False},
        policy={"path": settings.policy.path},
        idp={"mounted": True, "folder": settings.idp.folder},
        upstreams={name: {"url": one.url} for name, one in settings.upstreams.items()},
        etdi={
            "issuers": [{"issuer": issuer.issuer, "providers": list(issuer.providers)}],
            "provider_keys": [{"provider": "acme", "key_id": key.key_id, "public_key": key.public_key}],
        },
    )
    assert (folder / "audit.jsonl").exists()


class Drill:
    """A gateway that calls Acme's tool, and an operator beside it with the runbook in hand."""

    def __init__(self, chain: Chain, run: Run) -> None:
        self.chain = chain
        self.performed: list[str] = []
        self._run = run

    async def perform(self, section: str, **known: str) -> list[Ran]:
        """Its commands, one after the other, in a process's worth of their own. All succeed, or say that something
        changed (exit 1 of ``diff``)."""
        done = []
        for command in commands()[section]:
            said = re.sub(r"\b(JTI|KID|ORDER|HASH)\b", lambda match: known[match[1]], command)
            done.append(await asyncio.to_thread(self._run, *shlex.split(said)))
            assert done[-1].code == 0, (said, done[-1])
            self.performed.append(command)
        return done

    async def works(self) -> None:
        """The tool is called."""
        answer = await self.chain.call()
        assert status_of(answer) == "executed", answer

    async def refused(self, code: str) -> None:
        """The very next call is, and does not arrive."""
        before = self.chain.calls
        answer = await self.chain.call()
        assert code in codes_of(answer), answer
        assert self.chain.calls == before

    async def ask(self, *arguments: str) -> Any:
        """A command's JSON."""
        return (await asyncio.to_thread(self._run, *arguments, "--json")).document

    def recorded(self, code: str) -> bool:
        """Whether the audit says who did it: in a file of its own, for the gateway holds its own open."""
        folder = self.chain.folder
        rows = [row for path in folder.glob("audit*.jsonl") for row in path.read_bytes().splitlines()]
        records = [msgspec.json.decode(row).get("record", {}) for row in rows]
        return any(one.get("reasons") == [code] and one["caller"]["subject"] == "you" for one in records)


@pytest.fixture
async def drill(tmp_path: Path, run: Run, config: Config) -> AsyncIterator[Drill]:
    """All is well, so far."""
    async with mounted_chain(tmp_path) as chain:
        key = read_public_key(acme.signer(tmp_path).public_pem())
        await chain.shelves.providers.change(
            "acme",
            lambda found, now: found.with_proposed(key, now).with_approved(key[0], now),
            record=unrecorded,
        )
        await chain.approve()
        settings_file(chain.house, config, tmp_path)
        made = Drill(chain, run)
        await made.works()
        yield made


async def test_the_kill_switch(drill: Drill) -> None:
    """Stopped whatever the policy says, and lifted afterwards."""
    await drill.perform("The kill switch")
    kills = drill.chain.house.gateway.house.kills
    assert kills is not None
    await kills.refresh()  # as it does by itself, twice a second; the classes 1 to 3 ask before each call
    await drill.refused("kill.tool")
    (order,) = await drill.ask("kill", "list")
    hashed = (await drill.chain.entry()).tool.definition_hash
    await drill.perform("Afterwards", ORDER=order["id"], HASH=hashed)
    await kills.refresh()
    drill.chain.house.clock.advance(acme.LISTING_AGE_S)
    await drill.works()
    assert drill.recorded("admin.kill_add")


async def test_an_approval(drill: Drill) -> None:
    """The approval is gone for the next call but what was read of it two seconds ago."""
    await drill.perform("An approval")
    drill.chain.house.clock.advance(acme.LISTING_AGE_S)
    await drill.refused("catalog.approval_revoked")
    assert drill.recorded("admin.revoke_tool")


async def test_a_token(drill: Drill) -> None:
    """That one, by the id that the list shows."""
    rows = await drill.ask("idp", "tokens", "list", "--provider", "acme")
    for row in rows:
        await drill.perform("A token", JTI=row["jti"])
    await drill.refused("catalog.token_invalid")
    assert drill.recorded("admin.idp_token_revoke")


async def test_a_provider(drill: Drill) -> None:
    """And its server gets no other token."""
    await drill.perform("A provider")
    await drill.refused("catalog.token_invalid")
    form = {"grant_type": "client_credentials", "scope": f"tool:{acme.READ}", "tool_id": acme.ID}
    answer = await drill.chain.house.http.post("/idp/token", data=form, auth=drill.chain.client)
    assert answer.json()["code"] == "idp.not_approved"
    assert drill.recorded("admin.idp_provider_suspend")


async def test_a_providers_own_key(drill: Drill) -> None:
    """The settings still have it."""
    thumbprint = read_public_key(acme.signer(drill.chain.folder).public_pem())[0]
    await drill.perform("A provider's own key", HASH=thumbprint)
    await drill.refused("catalog.signature_invalid")
    assert drill.recorded("admin.idp_provider_key_revoke")


async def test_the_signing_key(drill: Drill) -> None:
    """Nothing it signed is believed; a token by the next key is."""
    kid = (await drill.chain.shelves.keys.signer())[0].kid
    await drill.perform("The identity provider's signing key", KID=kid)
    await drill.refused("catalog.token_invalid")
    assert drill.recorded("admin.idp_key_revoke")


async def test_what_to_look_at(drill: Drill) -> None:
    """All of it can be looked at while the gateway runs, and the audit holds together."""
    trusted, *_, audit = await drill.perform("What to look at")
    assert "verified: signature" in trusted.out
    assert audit.code == 0


def test_every_section_with_commands_is_drilled() -> None:
    """A command that is added to the runbook is added here."""
    drilled = set(re.findall(r'perform\(\s*"([^"]+)"', Path(__file__).read_text()))
    assert set(commands()) == drilled
