"""``countersign check``."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gateway.upstream.paypal.simulator.serve import serve_simulator
from tests.cli.conftest import Run, good_settings

Config = Callable[..., Path]


@pytest.fixture
def paypal_url() -> Iterator[str]:
    """A simulated PayPal in a thread of its own: the command under test has its own event loop."""
    started: Future[str] = Future()

    async def serve() -> None:
        listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        listening.add_done_callback(lambda port: started.set_result(f"http://127.0.0.1:{port.result()}"))
        await serve_simulator("127.0.0.1", 0, started=listening)

    loop = asyncio.new_event_loop()
    task = loop.create_task(serve())

    def work() -> None:
        with suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        loop.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield started.result(timeout=30)
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def at(url: str, **members: str) -> dict[str, Any]:
    """The section of a PayPal that answers there."""
    return {**good_settings()["paypal"], "base_url": url, **members}


def test_a_good_configuration_would_run(run: Run, config: Config, paypal_url: str) -> None:
    """Exit 0; every part in one line."""
    config(paypal=at(paypal_url))
    ran = run("check", "--json")
    assert ran.code == 0
    parts = {one["part"] for one in ran.document}
    assert parts == {
        *("settings", "policy", "budgets", "state", "audit"),
        *("transactions", "paypal", "paypal api"),
    }
    assert all(one["ok"] for one in ran.document)
    words = run("check")
    assert words.code == 0
    assert len(words.out.strip().splitlines()) == 8
    assert "simulator-secret" not in ran.out + words.out + words.err


def test_credentials_that_paypal_does_not_know_are_found_out(
    run: Run, config: Config, paypal_url: str
) -> None:
    """Before the first call, and without a word of the secret."""
    config(paypal=at(paypal_url, client_secret="another-secret-entirely"))
    ran = run("check", "--json")
    assert ran.code == 1
    (wrong,) = [one for one in ran.document if not one["ok"]]
    assert wrong["part"] == "paypal api"
    assert paypal_url in wrong["says"]
    assert "another-secret-entirely" not in ran.out + ran.err


def test_a_given_access_token_is_not_tried(run: Run, config: Config) -> None:
    """Any use of it would be a call; the line says so instead of promising anything."""
    config(paypal={"access_token": "given-token", "base_url": "http://127.0.0.1:9"})
    ran = run("check", "--json")
    assert ran.code == 0
    assert "was not tried" in next(one["says"] for one in ran.document if one["part"] == "paypal api")
    assert "given-token" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("sections", "part"),
    [
        ({}, "paypal api"),
        ({"listen": "nonsense"}, "settings"),
        ({"identity": {}}, "settings"),
        ({"paypal": {}}, "settings"),
        ({"policy": {"path": "/nowhere"}}, "policy"),
        ({"policy": {"engine": "opa", "opa_url": "http://127.0.0.1:9"}}, "policy"),
        ({"state": {"url": "mongodb://x"}}, "settings"),
        ({"audit": {"path": "countersign.yaml/audit.jsonl"}}, "files"),
        ({"audit": {"path": "a.jsonl", "signing_key": "nowhere.pem"}}, "settings"),
        ({"upstreams": {"crm": {"url": "http://127.0.0.1:9/mcp"}}}, "crm"),
    ],
    ids=str,
)
def test_what_would_not_run_is_named(run: Run, config: Config, sections: dict[str, Any], part: str) -> None:
    """Exit 1, and the part that is to blame; as words without a traceback."""
    config(**sections)
    ran = run("check", "--json")
    assert ran.code == 1
    assert part in [one["part"] for one in ran.document if not one["ok"]]
    words = run("check")
    assert words.code == 1
    assert "NO" in words.out


def test_what_a_part_says_is_not_markup(run: Run, tmp_path: Path) -> None:
    """Brackets of a message are shown, and end neither the colour nor the program."""
    (tmp_path / "countersign.yaml").write_text("'[/red]x[bold]': 1\n")
    ran = run("check")
    assert ran.code == 1
    assert "[/red]x[bold]" in ran.out


def test_the_password_of_the_store_is_not_shown(run: Run, config: Config) -> None:
    """Neither where the store works nor where it does not."""
    config(state={"url": "redis://user:hunter2-hunter2@127.0.0.1:9/0"})
    for words in (("check",), ("check", "--json")):
        ran = run(*words)
        assert ran.code == 1
        assert "hunter2" not in ran.out + ran.err


def test_the_address_that_does_not_answer_is_named(run: Run, config: Config) -> None:
    """Of the policy engine and of the store: whoever reads it must know where to look."""
    config(policy={"engine": "opa", "opa_url": "http://127.0.0.1:9"}, state={"url": "redis://127.0.0.1:9/0"})
    said = {one["part"]: one["says"] for one in run("check", "--json").document}
    assert "http://127.0.0.1:9" in said["policy"]
    assert said["state"] == "redis://127.0.0.1:9/0 does not answer"


def test_a_policy_folder_that_is_none_is_named_by_its_setting(run: Run, config: Config) -> None:
    """The key, not some file inside it."""
    config(policy={"path": "nowhere"})
    assert "policy.path: nowhere is no folder." in run("check").out


def test_second_agents_are_named_and_not_asked(run: Run, config: Config, paypal_url: str) -> None:
    """A question to one is about real money. No secret is shown, also where an address holds one."""
    secret = "whsec_" + "dW5zYWZlLXRlc3Qtc2VjcmV0LW9mLXRoZS1ndWFyZA=="
    other = "whsec_" + "dW5zYWZlLXRlc3Qtc2VjcmV0LW9mLXNvbWVib2R5"
    guard = {"kind": "webhook", "url": "http://127.0.0.1:1/confirm?key=SECRET", "secret": secret}
    notify = {"url": "http://127.0.0.1:1/notices", "secret": other}
    config(paypal=at(paypal_url), confirm={"agents": {"guard": guard}, "notify": notify})
    ran = run("check", "--json")
    assert ran.code == 0
    said = {one["part"]: one["says"] for one in ran.document}
    assert said["agent"].startswith("guard: webhook at http://127.0.0.1:1/confirm, 10 s")
    assert said["notify"] == "http://127.0.0.1:1/notices"
    assert "SECRET" not in ran.out
    assert secret not in ran.out


def test_a_mounted_identity_provider_says_whether_it_could_sign(
    run: Run, config: Config, paypal_url: str, tmp_path: Path
) -> None:
    """With its key's name; and that it could not, where the private half is gone."""
    config(paypal=at(paypal_url), idp={"mounted": True, "folder": "idp-keys"})
    (good,) = [one for one in run("check", "--json").document if one["part"] == "idp"]
    assert good["ok"]
    (key,) = (tmp_path / "idp-keys").iterdir()
    assert key.stem in good["says"]
    key.unlink()
    ran = run("check", "--json")
    (bad,) = [one for one in ran.document if one["part"] == "idp"]
    assert (ran.code, bad["ok"]) == (1, False)
