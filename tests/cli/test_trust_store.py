"""``countersign trust-store`` between two gateways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import yaml

from tests.cli.conftest import Run
from tests.test_trust_store import PEM

Config = Callable[..., Path]
TRUSTING = {
    "issuers": [{"issuer": "https://idp.example.com/", "providers": ["bank"], "names": ["idp"]}],
    "provider_keys": [{"provider": "bank", "key_id": "k1", "public_key": PEM}],
}


def test_from_one_gateway_to_another(run: Run, config: Config, tmp_path: Path) -> None:
    """Exported, imported: the lines are for the settings, and used as such they are what was exported."""
    config(etdi=TRUSTING)
    carried = tmp_path / "trust.json"
    carried.write_text(run("trust-store", "export").out)
    config()
    ran = run("trust-store", "import", str(carried))
    assert (ran.code, "new" in ran.err, "bank" in ran.err) == (0, True, True)
    config(**yaml.safe_load(ran.out))
    assert run("trust-store", "export").out == carried.read_text()
    again = run("trust-store", "import", str(carried))
    assert (again.out, "already" in again.err) == ("", True)


def test_for_a_script(run: Run, config: Config, tmp_path: Path) -> None:
    """Entries with their standing, and what to add."""
    config(etdi=TRUSTING)
    carried = tmp_path / "trust.json"
    carried.write_text(run("trust-store", "export").out)
    document = run("trust-store", "import", str(carried), "--json").document
    assert [one["standing"] for one in document["entries"]] == ["as here", "as here"]
    assert document["additions"] == {"issuers": [], "provider_keys": []}


def test_what_cannot_be_used_prints_no_lines(run: Run, config: Config, tmp_path: Path) -> None:
    """Exit 2, and nothing that could be redirected into the settings."""
    config()
    carried = tmp_path / "trust.json"
    carried.write_text('{"issuers": "x"}')
    ran = run("trust-store", "import", str(carried))
    assert (ran.code, ran.out) == (2, "")
    assert "trust store" in ran.err
    carried.write_text('{"format": "countersign-trust-store/1"}')
    ran = run("trust-store", "import", str(carried))
    assert (ran.code, ran.out, ran.err) == (0, "", "it holds nothing\n")


def test_a_strangers_file_cannot_show_other_lines_than_it_adds(
    run: Run, config: Config, tmp_path: Path
) -> None:
    """Attack: a provider's name that changes the direction of what follows, in the lines that a person pastes."""
    provider = "bank\u202e\u2066yrotcerid\u2069"
    config(etdi={"provider_keys": [{"provider": provider, "key_id": "k1", "public_key": PEM}]})
    carried = tmp_path / "trust.json"
    carried.write_text(run("trust-store", "export").out)
    config()
    ran = run("trust-store", "import", str(carried))
    assert ran.out.replace("\n", "").isprintable()
    assert yaml.safe_load(ran.out)["etdi"]["provider_keys"][0]["provider"] == provider
