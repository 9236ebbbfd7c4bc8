"""Whoever reads logs, audit and store, and every answer but the one, finds no secret, no token and no private key."""

import logging
from pathlib import Path

import pytest

from gateway.state.store import MAX_ENTRIES, Space
from tests.support.idp import Client, Idp, pem_of, running_idp
from tests.support.keys import SigningKey

GRANT = {"grant_type": "client_credentials"}
PASSPHRASE = "unsafe-passphrase-of-the-keys"


async def everything_once(idp: Idp, acme: Client) -> list[str]:
    """Each kind of request, good and bad. Returns what must not be found anywhere afterwards."""
    token = await idp.token(acme)
    assertion = idp.assertion(acme)
    await idp.ask(None, **GRANT, **assertion)
    await idp.ask(None, **GRANT, **assertion)
    await idp.ask(None, auth=(acme.provider.client_id, "wrong-secret-of-somebody"), **GRANT)
    await idp.ask(None, auth=("wrong-secret-of-somebody", acme.secret), **GRANT)
    await idp.ask(acme, client_secret=acme.secret, **GRANT)
    await idp.token_for(acme, scope="tool:not:granted", tool_id="rogue.tool")
    await idp.ask(acme, "/introspect", token=token)
    await idp.ask(acme, "/revoke", token=token)
    await idp.ask(acme, "/providers/acme/key", public_key=pem_of(SigningKey("ES256", None).private))
    await idp.shelves.keys.rotate(by="ops", at_once=True)
    answer = await idp.http.post(
        f"{idp.url}/register", json={"name": "x", "publicKey": pem_of(acme.key.private)}
    )
    return [
        acme.secret,
        token,
        token.rpartition(".")[2],
        assertion["client_assertion"],
        answer.json()["clientSecret"],
        PASSPHRASE,
        "PRIVATE KEY",
    ]


def contents(folder: Path, pattern: str) -> bytes:
    """All of those files."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob(pattern)))


async def test_nothing_secret_is_written_down(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every logger at its most talkative."""
    caplog.set_level(logging.DEBUG)
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    async with running_idp(tmp_path, passphrase_file=str(tmp_path / "passphrase"), registration=True) as idp:
        acme = await idp.client()
        hidden = await everything_once(idp, acme)
        issued = [one.getMessage() for one in caplog.records if one.name == "countersign.idp"]
        rows = [row for space in Space for row in await idp.store.entries(space, limit=MAX_ENTRIES)]
        stored = b"".join(key.encode() + value for key, value in rows)
        audit, keys = contents(tmp_path, "audit*"), contents(tmp_path, "keys/*.pem")
    said = "".join(capfd.readouterr()) + caplog.text
    assert len(issued) == 2, "what was issued is logged"
    assert "jti" in issued[0]
    assert idp.records(), "and recorded"
    for secret in hidden:
        assert secret not in said
        assert secret.encode() not in stored
        assert secret.encode() not in audit
    assert b"ENCRYPTED PRIVATE KEY" in keys
    assert PASSPHRASE.encode() not in keys
    assert PASSPHRASE not in repr(idp.settings)
