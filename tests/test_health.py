"""Liveness and readiness: true of the parts, and silent about their insides."""

from __future__ import annotations

from pathlib import Path

from gateway.settings.model import PolicySettings
from tests.support.house import running_house


async def test_a_whole_gateway_is_alive_and_ready(tmp_path: Path) -> None:
    """Every part answers: 200, and no more than yes. The operator's probe has engine and revision."""
    async with running_house(tmp_path) as house:
        assert (await house.http.get("/healthz")).json() == {"alive": True}
        ready = await house.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"ready": True})
        policy = (await house.gateway.probe.readiness())["policy"]
        assert policy["engine"] == "embedded"
        assert len(policy["revision"]) == 64


async def test_without_its_engine_it_is_alive_and_not_ready(tmp_path: Path) -> None:
    """503, and a stranger learns neither which part it is, nor its kind, its address and what is wrong with it."""
    policy = PolicySettings(engine="opa", opa_url="http://127.0.0.1:1", timeout_s=1)
    async with running_house(tmp_path, policy=policy) as house:
        assert (await house.http.get("/healthz")).status_code == 200
        ready = await house.http.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"ready": False})
        policy = (await house.gateway.probe.readiness())["policy"]
        assert (policy["ready"], policy["engine"], policy["revision"]) == (False, "opa", "")
        assert "127.0.0.1:1" not in policy["error"]
