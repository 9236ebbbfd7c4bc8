"""Contradictions in the settings of second agents and notices."""

import base64

import pytest

from tests.settings.conftest import Load, Refusal

SECRET = "whsec_" + base64.b64encode(b"unsafe-test-secret-of-the-guard-1").decode()
OTHER = "whsec_" + base64.b64encode(b"unsafe-test-secret-of-somebody-2").decode()
WEBHOOK = f"kind: webhook, url: 'https://guard.example/confirm', secret: {SECRET}"
CHAT = "kind: chat, url: 'https://llm.example/v1/chat/completions', model: m-1, api_key: sk-x"


def agents(*entries: str, notify: str = "") -> str:
    """The section of the file."""
    named = ", ".join(f"{name}: {{{one}}}" for name, one in (entry.split("=", 1) for entry in entries))
    return f"confirm: {{agents: {{{named}}}{', notify: {' + notify + '}' if notify else ''}}}\n"


def test_both_kinds_and_notices(load: Load) -> None:
    """Secrets are not shown."""
    settings = load(
        agents(f"guard={WEBHOOK}", f"judge={CHAT}", notify=f"url: 'http://127.0.0.1:9/n', secret: {OTHER}")
    )
    assert list(settings.confirm.agents) == ["guard", "judge"]
    assert settings.confirm.agents["guard"].timeout_s == 10
    shown = repr(settings)
    assert SECRET not in shown
    assert OTHER not in shown
    assert "sk-x" not in shown


@pytest.mark.parametrize(
    ("entries", "key"),
    [
        (["guard=" + WEBHOOK.replace("https", "http")], "confirm.agents.guard.url: must be https"),
        (
            ["guard=" + WEBHOOK.replace("https://guard.example", "http://guard")],
            "confirm.agents.guard.url: must",
        ),
        (
            ["guard=" + WEBHOOK.replace("guard.example", "u:p@guard.example")],
            "confirm.agents.guard.url: has no",
        ),
        (["guard=" + WEBHOOK.replace("https:", "ftp:")], "confirm.agents.guard.url: is no address"),
        (["guard=" + WEBHOOK.replace("guard.example", "[::1")], "confirm.agents.guard.url: is no address"),
        (["guard=" + WEBHOOK.replace("guard.example", "guard.example:x")], "confirm.agents.guard.url: is no"),
        (
            ["guard=" + WEBHOOK.replace(f", secret: {SECRET}", "")],
            "confirm.agents.guard.secret: a webhook needs",
        ),
        (
            ["guard=" + WEBHOOK.replace(SECRET, "whsec_short")],
            "confirm.agents.guard.secret: a secret is whsec_",
        ),
        (["guard=" + WEBHOOK + ", model: m"], "confirm.agents.guard.kind: a webhook has no api_key"),
        (["judge=" + CHAT + f", secret: {SECRET}"], "confirm.agents.judge.secret: chat answers are not"),
        (["judge=" + CHAT.replace(", model: m-1", "")], "confirm.agents.judge.model: say which"),
        (["judge=" + CHAT.replace(", api_key: sk-x", "")], "confirm.agents.judge.api_key: is missing"),
        (["judge=" + CHAT.replace("/chat/completions", "")], "confirm.agents.judge.url: is the whole"),
        (["guard=" + WEBHOOK + ", timeout_s: 61"], "confirm.agents[...].timeout_s"),
        (["Guard=" + WEBHOOK], "confirm.agents.Guard: a name has"),
        (["agent=" + WEBHOOK], "confirm.agents.agent: a caller has that name"),
        (
            ["a=" + WEBHOOK, "b=" + WEBHOOK.replace(SECRET, OTHER)],
            "confirm.agents.b.url: confirm.agents.a is",
        ),
        (
            ["a=" + WEBHOOK, "b=" + WEBHOOK.replace("/confirm", "/b")],
            "confirm.agents.b.secret: confirm.agents.a",
        ),
        ([f"a{n}=" + CHAT.replace("m-1", f"m-{n}") for n in range(9)], "confirm.agents: at most 8"),
    ],
)
def test_a_contradiction_is_named(refusal: Refusal, entries: list[str], key: str) -> None:
    """The key, and never the secret."""
    said = refusal(agents(*entries))
    assert said.startswith(key)
    assert SECRET not in said
    assert "whsec_short" not in said


@pytest.mark.parametrize(
    ("notify", "key"),
    [
        (f"url: 'http://mail.example/', secret: {OTHER}", "confirm.notify.url: must be https"),
        ("url: 'https://mail.example/', secret: x", "confirm.notify.secret: a secret is"),
        (
            f"url: 'https://mail.example/', secret: {SECRET}",
            "confirm.notify.secret: confirm.agents.guard has",
        ),
    ],
)
def test_a_contradiction_of_notices_is_named(refusal: Refusal, notify: str, key: str) -> None:
    """One who only hears of calls must not be able to confirm them."""
    assert refusal(agents(f"guard={WEBHOOK}", notify=notify)).startswith(key)


@pytest.mark.parametrize("name", ["COUNTERSIGN_CONFIRM_AGENTS", "COUNTERSIGN_CONFIRM_NOTIFY"])
def test_no_variable_says_it(refusal: Refusal, name: str) -> None:
    """They are of the file."""
    assert refusal("", {name: "x"}).startswith(f"{name}: there is no such setting")
