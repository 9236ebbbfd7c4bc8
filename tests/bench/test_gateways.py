"""The parts of the gateway's legs that need no gateway: a real OPA over both of its addresses."""

from pathlib import Path

import httpx
import pytest
import yaml

from tests.bench.gateways import Engine, Setup, settings, start_opa
from tests.bench.legs import Site
from tests.bench.processes import Cores, Fleet
from tests.bench.workload import Era

POLICY = "package gateway.decision\n\nanswer.outcome := data.gateway.limits.outcome\n"


@pytest.mark.parametrize("over", ["opa-tcp", "opa-uds"])
def test_opa_answers_at_the_address_that_the_gateway_is_told(
    over: Engine, opa_binary: Path, tmp_path: Path
) -> None:
    """When `start_opa` returns, the URL it gives is served, data files have their place, tests are left out."""
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "limits").mkdir()
    (policies / "limits" / "data.yaml").write_text("outcome: allow\n")
    (policies / "decision.rego").write_text(POLICY)
    (policies / "decision_test.rego").write_text("package gateway.decision_test\n\nbroken :=\n")
    with Fleet(Cores(None, None), tmp_path) as fleet:
        url, _ = start_opa(Site(fleet, Era.MODERN, 1, tmp_path), over=over, policies=policies)
        socket = url.removeprefix("unix://") if over == "opa-uds" else None
        base = "http://opa" if socket else url
        with httpx.Client(transport=httpx.HTTPTransport(uds=socket), base_url=base) as client:
            answer = client.post("/v1/data/gateway/decision/answer", json={"input": {}})
    assert answer.json()["result"] == {"outcome": "allow"}


@pytest.mark.parametrize("opa", [None, "http://127.0.0.1:8181", "unix:///run/opa.sock"])
def test_settings_are_plain_yaml(opa: str | None, tmp_path: Path) -> None:
    """What is written for the gateway reads back as the same document."""
    document = settings(Setup(8080, "http://127.0.0.1:9/mcp", tmp_path, opa))
    assert yaml.safe_load(yaml.safe_dump(document)) == document
