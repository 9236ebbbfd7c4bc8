"""``countersign init``: from nothing to settings that a gateway starts with; what cannot be used is not written."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.identity.static import hash_static_token
from gateway.settings import load_settings
from tests.cli.conftest import Run

MAIN = "import sys; from gateway.cli import main; main(sys.argv[1:])"
PAYPAL = {"PAYPAL_CLIENT_ID": "simulator-client", "PAYPAL_CLIENT_SECRET": "simulator-secret"}


def written(folder: Path, name: str = "countersign.yaml") -> dict[str, Any]:
    """The file as it is read."""
    document: dict[str, Any] = yaml.safe_load((folder / name).read_text())
    return document


def test_without_a_question(run: Run, tmp_path: Path) -> None:
    """The defaults start a gateway; the token is printed once, and the file has its hash alone."""
    ran = run("init", "--yes")
    assert ran.code == 0
    (token,) = [line.strip() for line in ran.out.splitlines() if line.strip().startswith("cs_")]
    settings = load_settings(tmp_path / "countersign.yaml", PAYPAL)
    (caller,) = settings.identity.tokens
    assert (caller.subject, caller.sha256) == ("agent-one", hash_static_token(token))
    assert token not in (tmp_path / "countersign.yaml").read_text()
    assert stat.S_IMODE((tmp_path / "countersign.yaml").stat().st_mode) == 0o600
    assert settings.paypal.environment == "SANDBOX"
    # A host with the bare URL could not sign in: there is no issuer.
    mcp = "http://127.0.0.1:3000/mcp"
    assert f"  countersign connect {mcp} --save-token" in ran.out
    assert f"  countersign hosts --url {mcp} --via connect" in ran.out


def test_the_next_command_finds_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed: ``check`` reads the file, and says that PayPal itself is what is missing."""
    assert run("init", "--yes").code == 0
    for name, value in PAYPAL.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COUNTERSIGN_PAYPAL_BASE_URL", "http://127.0.0.1:9")
    found = {one["part"]: one["ok"] for one in run("check", "--json").document}
    assert (found["settings"], found["policy"], found["state"], found["audit"]) == (True, True, True, True)


def test_by_questions(tmp_path: Path) -> None:
    """Answered by somebody at a terminal, or by a pipe; an empty line takes the default."""
    answers = ["bob", "http://127.0.0.1:8080", "production", "opa", "unix:///run/opa.sock"]
    answers += ["redis://127.0.0.1:6379/0", "auth0", "shop.eu.auth0.com", "bank, shop"]
    done = subprocess.run(
        [sys.executable, "-c", MAIN, "init", "--out", "made.yaml"],
        input="\n".join([*answers, ""]),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    settings = load_settings(tmp_path / "made.yaml", PAYPAL)
    assert (settings.listen, settings.public_url) == ("127.0.0.1:8080", "http://127.0.0.1:8080")
    assert settings.paypal.environment == "PRODUCTION"
    assert settings.policy.opa_url == "unix:///run/opa.sock"
    assert settings.state.url == "redis://127.0.0.1:6379/0"
    (issuer,) = settings.etdi.issuers
    assert (issuer.issuer, issuer.profile, issuer.providers) == (
        "https://shop.eu.auth0.com/",
        "auth0",
        ("bank", "shop"),
    )
    assert "countersign serve --config made.yaml" in done.stdout


@pytest.mark.parametrize(
    ("kind", "place", "issuer"),
    [
        ("okta", "t.okta.com", "https://t.okta.com/oauth2/default"),
        (
            "azure",
            "11111111-2222-3333-4444-555555555555",
            "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
        ),
        ("custom", "https://idp.example.com/", "https://idp.example.com/"),
    ],
)
def test_each_issuer_by_its_own_name(run: Run, tmp_path: Path, kind: str, place: str, issuer: str) -> None:
    """Exactly as its tokens have it (C18)."""
    assert run("init", "--yes", "--issuer", kind, "--issuer-at", place, "--provider", "bank").code == 0
    assert written(tmp_path)["etdi"]["issuers"][0]["issuer"] == issuer


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "http://gateway.example/"),
        ("--state", "mysql://x"),
        ("--engine", "opa", "--opa-url", "http://opa.example:8181"),
        ("--issuer", "custom", "--issuer-at", "http://idp.example/", "--provider", "bank"),
        ("--issuer", "custom", "--issuer-at", "https://idp.example/", "--provider", " ,"),
        ("--issuer", "auth0", "--provider", "bank"),
        ("--issuer", "azure", "--issuer-at", "common", "--provider", "bank"),
        ("--subject", "a\u202eb"),
        ("--url", "http://127.0.0.1:99999"),
    ],
)
def test_what_would_not_start_is_not_written(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Said in the words of the gateway; exit 2, and no file."""
    ran = run("init", "--yes", *arguments)
    assert ran.code == 2
    assert "cs_" not in ran.out
    assert not (tmp_path / "countersign.yaml").exists()


def test_a_file_that_is_there_stays(run: Run, tmp_path: Path) -> None:
    """Whatever is in it."""
    (tmp_path / "countersign.yaml").write_text("mine")
    assert run("init", "--yes").code == 2
    assert (tmp_path / "countersign.yaml").read_text() == "mine"
