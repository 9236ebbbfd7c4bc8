"""``countersign console link``."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.console.login import LoginLinks
from gateway.console.person import Person
from gateway.serving import run as run_async
from gateway.state.open import open_store
from tests.cli.conftest import Run, audit_lines

Config = Callable[..., Path]


def redeemed(folder: Path, token: str) -> Person | None:
    """Who the link lets in, once."""

    async def redeem() -> Person | None:
        store = open_store(f"sqlite:///{folder / 'state.sqlite3'}")
        try:
            return await LoginLinks(store, now=lambda: 0.0).redeem(token)
        finally:
            await store.aclose()

    return run_async(redeem())


def test_a_link_is_a_way_in_for_one_person_once(run: Run, config: Config, tmp_path: Path) -> None:
    """On the public URL, in the store the gateway reads; who was let in stands in the audit, the token nowhere."""
    config(public_url="https://gateway.example/")
    ran = run("console", "link", "--subject", "alice", "--role", "approver", "--role", "auditor")
    assert ran.code == 0
    url, _, token = ran.out.strip().rpartition("/")
    assert url == "https://gateway.example/console/login"
    person = redeemed(tmp_path, token)
    assert person is not None
    assert (person.subject, person.roles) == ("alice", ("approver", "auditor"))
    assert redeemed(tmp_path, token) is None
    (record,) = audit_lines(tmp_path)
    assert (record["caller"]["subject"], record["reasons"]) == ("alice", ["admin.console_link"])
    assert token not in (tmp_path / "audit.jsonl").read_text()


@pytest.mark.parametrize("name", ["", " ", "al\u202eice", "x" * 201])
def test_a_person_has_a_name_that_can_be_read(run: Run, config: Config, name: str) -> None:
    """It is the name the audit will show."""
    config()
    assert run("console", "link", "--subject", name).code == 2
    assert run("console", "link", "--subject", "alice", "--role", name).code == 2


def test_without_an_audit_there_is_no_link(run: Run, config: Config) -> None:
    """Who is let in unseen cannot be asked later."""
    config(audit={"path": "countersign.yaml/audit.jsonl"})
    ran = run("console", "link", "--subject", "alice")
    assert (ran.code, ran.out) == (2, "")
