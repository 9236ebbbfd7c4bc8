"""The command line in this process, in an empty folder, with a clean environment."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gateway.cli import main
from gateway.identity.static import hash_static_token
from tests.support.house import AGENT_TOKEN


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command. Whatever happens it exits with a code, and never with a traceback."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith(("COUNTERSIGN_", "PAYPAL_", "EPHEMERAL_", "ETDI_")):
            monkeypatch.delenv(name)

    def command(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert isinstance(caught.value.code, int)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Ran(code=caught.value.code, out=said.out, err=said.err)

    return command


def good_settings() -> dict[str, Any]:
    """Everything a gateway needs on this machine; nothing is contacted before a call."""
    return {
        "identity": {
            "tokens": [{"sha256": hash_static_token(AGENT_TOKEN), "subject": "agent-one", "roles": ["agent"]}]
        },
        "paypal": {
            "client_id": "simulator-client",
            "client_secret": "simulator-secret",
            "base_url": "http://127.0.0.1:9",
        },
        "state": {"url": "sqlite:///state.sqlite3"},
        "audit": {"path": "audit.jsonl"},
    }


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``countersign.yaml`` with changed sections; commands find it by themselves."""

    def write(**sections: Any) -> Path:
        path = tmp_path / "countersign.yaml"
        path.write_text(yaml.safe_dump({**good_settings(), **sections}))
        return path

    return write


def audit_lines(folder: Path) -> list[dict[str, Any]]:
    """Closing records of everything that was written under the folder."""
    lines = [msgspec.json.decode(line) for line in (folder / "audit.jsonl").read_bytes().splitlines()]
    return [one for one in (line.get("record", line) for line in lines) if one.get("status") == "executed"]
