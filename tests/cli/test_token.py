"""``countersign token``."""

from pathlib import Path

import pytest
import yaml

from gateway.identity.static import hash_static_token
from gateway.settings import load_settings
from tests.cli.conftest import Run


def test_a_token_is_shown_once_with_its_line_for_the_settings(run: Run, tmp_path: Path) -> None:
    """The line has the hash and loads as it is; the token is not in it."""
    ran = run("token", "--subject", "agent: 7 # yes", "--role", "agent", "--role", "no")
    assert ran.code == 0
    shown = next(line.strip() for line in ran.out.splitlines() if line.startswith("  cs_"))
    snippet = ran.out[ran.out.index("identity:") :]
    assert shown not in snippet
    (tmp_path / "c.yaml").write_text(snippet)
    (token,) = load_settings(tmp_path / "c.yaml", {}).identity.tokens
    assert (token.subject, token.roles) == ("agent: 7 # yes", ("agent", "no"))
    assert token.sha256 == hash_static_token(shown)
    assert yaml.safe_load(snippet)["identity"]["tokens"][0]["sha256"] == token.sha256


def test_two_tokens_differ(run: Run) -> None:
    """As JSON; 256 random bits each."""
    one, other = (run("token", "--subject", "a", "--json").document for _ in range(2))
    assert one["token"] != other["token"]
    assert one["sha256"] == hash_static_token(one["token"])
    assert one["roles"] == ["agent"]


@pytest.mark.parametrize("subject", ["", " ", "a\nb", "pay\u202eme", "x" * 201])
def test_a_caller_has_a_name_that_can_be_read(run: Run, subject: str) -> None:
    """It will stand in the audit and on the approval page."""
    assert run("token", "--subject", subject).code == 2
    assert run("token", "--subject", "a", "--role", subject).code == 2
