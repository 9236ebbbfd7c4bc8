"""``countersign idp providers``."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.cli.conftest import Run, audit_lines
from tests.support.idp import pem_of, weak_curve
from tests.support.keys import SigningKey

BY = ("--by", "ops")


@pytest.fixture(autouse=True)
def settings(tmp_path: Path) -> None:
    """A store and an audit; nothing else is needed."""
    document = {"state": {"url": "sqlite:///state.sqlite3"}, "audit": {"path": "audit.jsonl"}}
    (tmp_path / "countersign.yaml").write_text(yaml.safe_dump(document))


def key_file(folder: Path, name: str, key: Any = None) -> str:
    """A public key in a file."""
    (folder / name).write_text(pem_of(key or SigningKey("ES256", None).private))
    return name


def listed(run: Run) -> list[dict[str, Any]]:
    """All providers."""
    found: list[dict[str, Any]] = run("idp", "providers", "list", "--json").document
    return found


def test_added_listed_approved_suspended(run: Run, tmp_path: Path) -> None:
    """The secret is said once; each act has its record; whom to call stands in the list."""
    assert "nobody is registered" in run("idp", "providers", "list").out
    key = key_file(tmp_path, "acme.pem")
    added = run(
        "idp",
        "providers",
        "add",
        "--name",
        "Acme",
        "--id",
        "acme",
        "--public-key",
        key,
        "--contact-email",
        "a@acme.example",
        "--pending",
        *BY,
        "--json",
    ).document
    assert added["registrationStatus"] == "PENDING"
    assert added["clientSecret"].startswith("csi_")
    (one,) = listed(run)
    assert "clientSecret" not in one
    assert added["clientSecret"] not in run("idp", "providers", "list").out
    assert (one["scopes"], one["tools"], one["keyId"]) == ([], [], None)
    blind = run("idp", "providers", "approve", "acme", *BY)
    assert blind.code == 2
    assert "--key" in blind.err
    wrong = run("idp", "providers", "approve", "acme", "--key", "A" * 43, *BY)
    assert wrong.code == 2
    approved = run(
        "idp",
        "providers",
        "approve",
        "acme",
        "--key",
        one["waitingKeyId"],
        "--tool",
        "acme.*",
        "--scope",
        "tool:files:read",
        *BY,
        "--json",
    ).document
    assert approved["registrationStatus"] == "APPROVED"
    assert approved["keyId"] == one["waitingKeyId"]
    assert (approved["tools"], approved["scopes"]) == (["acme.*"], ["tool:files:read"])
    assert "a@acme.example" in run("idp", "providers", "list").out
    assert "SUSPENDED" in run("idp", "providers", "suspend", "acme", "--reason", "stolen laptop", *BY).out
    assert listed(run)[0]["reason"] == "stolen laptop"
    codes = [code for record in audit_lines(tmp_path) for code in record["reasons"]]
    assert codes == ["admin.idp_provider_add", "admin.idp_provider_approve", "admin.idp_provider_suspend"]
    assert {record["tool"] for record in audit_lines(tmp_path)} == {"provider acme"}


def test_a_provider_rotates_its_key_and_its_secret(run: Run, tmp_path: Path) -> None:
    """R123: handed in, compared, approved by its thumbprint; the old one ends. A secret is void at once."""
    run(
        "idp",
        "providers",
        "add",
        "--name",
        "Acme",
        "--id",
        "acme",
        "--public-key",
        key_file(tmp_path, "a.pem"),
        *BY,
    )
    (before,) = listed(run)
    said = run("idp", "providers", "rotate-key", "acme", "--public-key", key_file(tmp_path, "b.pem"), *BY)
    (waiting,) = listed(run)
    assert waiting["keyId"] == before["keyId"]
    assert waiting["waitingKeyId"] in said.out
    assert run("idp", "providers", "approve", "acme", "--key", waiting["waitingKeyId"], *BY).code == 0
    (after,) = listed(run)
    assert after["keyId"] == waiting["waitingKeyId"]
    assert [one["active"] for one in after["keys"]] == [False, True]
    again = run("idp", "providers", "rotate-key", "acme", "--public-key", "a.pem", *BY)
    assert again.code == 2
    assert run("idp", "providers", "revoke-key", "acme", after["keyId"], *BY).code == 0
    assert listed(run)[0]["keyId"] is None
    secrets = {
        run("idp", "providers", "rotate-secret", "acme", *BY, "--json").document["clientSecret"]
        for _ in range(2)
    }
    assert len(secrets) == 2
    assert "shown once" in run("idp", "providers", "rotate-secret", "acme", *BY).out


@pytest.mark.parametrize("what", ["weak RSA", "wrong curve", "private key", "no text"])
def test_a_key_that_cannot_be_used_adds_nobody(run: Run, tmp_path: Path, what: str) -> None:
    """In the words of R116."""
    path = tmp_path / "bad.pem"
    if what == "weak RSA":
        path.write_text(pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)))
    elif what == "wrong curve":
        path.write_text(pem_of(weak_curve()))
    elif what == "private key":
        private = SigningKey("ES256", None).private
        path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    else:
        path.write_bytes(b"\xff\xfe")
    ran = run("idp", "providers", "add", "--name", "Acme", "--public-key", "bad.pem", *BY)
    assert (ran.code, ran.err.strip()) == (2, "countersign: Invalid public key format")
    assert listed(run) == []


def test_a_tool_is_granted_to_one(run: Run) -> None:
    """The second provider is not even added."""
    assert run("idp", "providers", "add", "--name", "Acme", "--id", "acme", "--tool", "pay", *BY).code == 0
    ran = run("idp", "providers", "add", "--name", "Rogue", "--id", "rogue", "--tool", "pay", *BY)
    assert ran.code == 2
    assert [one["providerId"] for one in listed(run)] == ["acme"]


def test_what_is_no_provider_is_refused(run: Run) -> None:
    """Names, ids, grants; and acts on nobody."""
    for arguments in (
        ("add", "--name", " "),
        ("add", "--name", "x", "--id", "A B"),
        ("add", "--name", "x", "--scope", "payments:write"),
        ("add", "--name", "x", "--tool", "a*b"),
        ("add", "--name", "x", "--website", "http://plain.example"),
        ("approve", "nobody"),
        ("suspend", "nobody", "--reason", "x"),
        ("rotate-secret", "nobody"),
        ("revoke-key", "nobody", "x"),
    ):
        assert run("idp", "providers", *arguments, *BY).code == 2, arguments
    assert listed(run) == []


def test_a_verifier_has_no_tools(run: Run) -> None:
    """It asks about tokens, and has none."""
    added = run("idp", "providers", "add", "--name", "Gateway", "--introspects", *BY, "--json").document
    assert added["introspects"] is True
    assert added["providerId"].startswith("prv-")
    assert "introspects" in run("idp", "providers", "list").out


def test_a_thumbprint_that_begins_with_a_dash_is_no_option(run: Run, tmp_path: Path) -> None:
    """One in 64 does: the command reads it as what it is, and says that there is no such key."""
    run(
        "idp",
        "providers",
        "add",
        "--name",
        "Acme",
        "--id",
        "acme",
        "--public-key",
        key_file(tmp_path, "a.pem"),
        *BY,
    )
    dashed = "-h" + "A" * 41
    for command in (("keys", "revoke", dashed, "--reason", "r"), ("providers", "revoke-key", "acme", dashed)):
        done = run("idp", *command, *BY)
        assert done.code == 2
        assert "Usage" not in done.out + done.err
