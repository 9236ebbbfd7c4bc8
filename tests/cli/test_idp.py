"""``countersign idp``: keys, tokens, backup, and the identity provider as a process of its own."""

from pathlib import Path

import httpx
import jwt
import pytest
import yaml

from tests.cli.conftest import Run, audit_lines
from tests.cli.test_serve import process
from tests.support.idp import AUDIENCE, READ
from tests.support.ports import free_port

BY = ("--by", "ops")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> str:
    """An identity provider's settings in this folder: who may call a gateway is not among them. Gives its URL."""
    url = f"http://127.0.0.1:{free_port()}"
    document = {
        "state": {"url": "sqlite:///state.sqlite3"},
        "audit": {"path": "audit.jsonl"},
        "idp": {
            "url": url,
            "listen": url.removeprefix("http://"),
            "audience": AUDIENCE,
            "folder": "keys",
        },
    }
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(document))
    return url


def test_keys_are_rotated_listed_and_revoked(run: Run, tmp_path: Path) -> None:
    """Each act with its record and its states; the history has the dates."""
    first = run("idp", "keys", "rotate", *BY, "--json").document
    (kid,) = first["keys"]
    assert first["keys"][kid] == "active"
    second = run("idp", "keys", "rotate", *BY, "--json").document
    assert sorted(second["keys"].values()) == ["active", "published"]
    refused = run("idp", "keys", "rotate", *BY)
    assert refused.code == 2
    assert "under way" in refused.err
    assert "active" in run("idp", "keys", "rotate", "--now", *BY).out
    listed = run("idp", "keys", "list", "--json").document
    assert [one["state"] for one in listed["keys"]] == ["retired", "active"]
    active = listed["keys"][1]["kid"]
    revoked = run("idp", "keys", "revoke", active, "--reason", "stolen", *BY)
    assert revoked.code == 0
    assert active not in revoked.out
    listed = run("idp", "keys", "list", "--json").document
    assert [one["state"] for one in listed["keys"]] == ["retired", "revoked", "active"]
    assert listed["keys"][1]["reason"] == "stolen"
    assert listed["version"] == 4
    assert active in run("idp", "keys", "list").out
    assert run("idp", "keys", "revoke", active, "--reason", "again", *BY).code == 2
    assert run("idp", "keys", "revoke", "nobody", "--reason", "x", *BY).code == 2
    codes = [one["reasons"] for one in audit_lines(tmp_path)]
    assert codes == [["admin.idp_key_rotate"]] * 3 + [["admin.idp_key_revoke"]]
    assert {one["caller"]["subject"] for one in audit_lines(tmp_path)} == {"ops"}
    held = {path.stem for path in (tmp_path / "keys").iterdir()}
    assert held == {listed["keys"][2]["kid"]}, "private halves of what signs no more are gone"


def test_an_audit_that_cannot_be_written_keeps_nobody_from_revoking(run: Run, tmp_path: Path) -> None:
    """A stolen key ends all the same, and the command says that its record is missing; a rotation waits."""
    (kid,) = run("idp", "keys", "rotate", *BY, "--json").document["keys"]
    document = yaml.safe_load((tmp_path / "countersign.yaml").read_text())
    (tmp_path / "file").write_text("")
    document["audit"] = {"path": "file/audit.jsonl"}
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(document))
    assert run("idp", "keys", "rotate", *BY).code == 2
    assert len(run("idp", "keys", "list", "--json").document["keys"]) == 1
    assert run("idp", "keys", "revoke", kid, "--reason", "stolen", *BY).code == 2
    assert [one["state"] for one in run("idp", "keys", "list", "--json").document["keys"]] == [
        "revoked",
        "active",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "rotate"),
        ("keys", "revoke", "x", *BY),
        ("keys", "revoke", "x", "--reason", "a\u202eb", *BY),
        ("tokens", "revoke", "x"),
        ("providers", "add", *BY),
        ("backup", "file", *BY),
    ],
)
def test_what_is_not_said_clearly_changes_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    """Exit 2."""
    assert run("idp", *arguments).code == 2
    assert run("idp", "keys", "list", "--json").document == {"version": 0, "keys": []}


def test_the_whole_way_with_real_processes(run: Run, tmp_path: Path, settings: str) -> None:
    """Started, a provider added by another process, a token, a restart, a revocation; then a backup and its restore."""
    with process(tmp_path, "idp", "serve", url=f"{settings}/health"):
        added = run(
            "idp",
            "providers",
            "add",
            "--name",
            "Acme",
            "--id",
            "acme",
            "--scope",
            READ,
            "--tool",
            "acme.*",
            *BY,
            "--json",
        ).document
        auth = (added["clientId"], added["clientSecret"])
        form = {
            "grant_type": "client_credentials",
            "scope": READ,
            "tool_id": "acme.read",
            "tool_version": "1.0.0",
        }
        token = httpx.post(f"{settings}/token", data=form, auth=auth, trust_env=False).json()["access_token"]
        (kid,) = run("idp", "keys", "list", "--json").document["keys"]
        assert kid["tokens"] == 1
    with process(tmp_path, "idp", "serve", url=f"{settings}/health"):
        found = httpx.get(f"{settings}/.well-known/jwks.json", trust_env=False).json()
        claims = jwt.decode(
            token,
            jwt.PyJWKSet.from_dict(found)[jwt.get_unverified_header(token)["kid"]],
            algorithms=["ES256"],
            audience=AUDIENCE,
        )
        assert claims["tool_id"] == "acme.read"

        def active() -> bool:
            answer = httpx.post(f"{settings}/introspect", data={"token": token}, auth=auth, trust_env=False)
            return bool(answer.json()["active"])

        assert active()
        assert [one["jti"] for one in run("idp", "tokens", "list", "--json").document] == [claims["jti"]]
        assert run("idp", "tokens", "list", "--provider", "other", "--json").document == []
        assert claims["jti"] in run("idp", "tokens", "list").out
        assert run("idp", "tokens", "revoke", claims["jti"], *BY).code == 0
        assert not active(), "revoked by another process, at once"
        assert run("idp", "tokens", "revoke", claims["jti"], *BY).code == 1
    said = (tmp_path / "idp.log").read_text()
    assert settings in said
    assert added["clientSecret"] not in said
    assert token not in said
    (tmp_path / "passphrase").write_text("unsafe-passphrase-of-a-backup\n")
    kept = run("idp", "backup", "kept", "--passphrase-file", "passphrase", *BY)
    assert kept.code == 0, kept.err
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    assert run("idp", "backup", "kept", "--passphrase-file", "passphrase", *BY).code == 2
    assert run("idp", "restore", "kept", "--passphrase-file", "passphrase", *BY).code == 2
    for path in (*tmp_path.glob("state*"), *(tmp_path / "keys").iterdir()):
        path.unlink()
    restored = run("idp", "restore", "kept", "--passphrase-file", "passphrase", *BY)
    assert restored.code == 0, restored.err
    assert "admin.idp_key_revoke" in restored.err
    with process(tmp_path, "idp", "serve", url=f"{settings}/health"):
        assert httpx.post(f"{settings}/token", data=form, auth=auth, trust_env=False).status_code == 200


def test_settings_that_contradict_themselves_start_nothing(run: Run, tmp_path: Path) -> None:
    """One line, exit 2."""
    (tmp_path / "countersign.yaml").write_text('idp: {url: "http://idp.example"}')
    ran = run("idp", "serve")
    assert ran.code == 2
    assert ran.err.startswith("countersign: idp.url")
