"""The suite's scenarios for clients: the gateway is the client, a stock host in front of it makes it talk."""

import sys
from pathlib import Path

import pytest
import yaml

from tests.conformance.suite import NEW, OLD, against_client

PROGRAM = f"{sys.executable} -W ignore -m tests.conformance.client_through_gateway"
LEGACY = ("initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry")
RUNS = [
    *((version, scenario) for version in (OLD, NEW) for scenario in LEGACY),
    *(
        (NEW, scenario)
        for scenario in (
            "request-metadata",
            "http-standard-headers",
            "http-custom-headers",
            "http-invalid-tool-headers",
            "sep-2322-client-request-state",
            "json-schema-ref-no-deref",
            "json-schema-2020-12-preservation",
        )
    ),
]
NOT_THROUGH = {
    "auth/*": "sign-in at the upstream: a person's, which the gateway has no browser for, or with a client's own "
    "credentials, which are settings and not found out from the upstream's answers",
    "sep-2640-client-no-prefetch": "an optional extension (skills)",
}
"""Scenarios that say nothing about a gateway, and why."""
EXPECTED = yaml.safe_load((Path(__file__).parent / "expected_failures.yaml").read_text())["clients"]


@pytest.mark.parametrize("run", RUNS, ids=" ".join)
async def test_the_gateway_passes_as_a_client(tmp_path: Path, run: tuple[str, str]) -> None:
    """Nothing fails but what is expected to, and what is expected to fail does."""
    version, scenario = run
    found = await against_client(PROGRAM, scenario, version=version, folder=tmp_path)
    failed = {name: sorted({one.split(":", 1)[0] for one in checks}) for name, checks in found.failed.items()}
    assert failed == (EXPECTED.get(" ".join(run)) or {}), found.failed
    assert found.checks[0] > 0


def test_what_is_expected_is_expected_of_a_run_that_is_made() -> None:
    """An entry under a name that nobody runs would never turn stale."""
    assert set(EXPECTED) <= {" ".join(run) for run in RUNS}
