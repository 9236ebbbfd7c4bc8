"""The package is light where it runs: in other people's servers."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "regopy",
    "redis",
    "jinja2",
    "jsonschema_rs",
    "tomlkit",
    "gateway.walk",
    "gateway.app",
    "gateway.policy",
)
PROBE = """
import sys
import gateway.authoring.server, gateway.authoring.providers.registry, gateway.authoring.migration.manifest
import gateway.settings.authoring, gateway.authoring.servers.filesystem
print("\\n".join(sys.modules))
"""


def test_nothing_that_serves_calls_is_loaded() -> None:
    """No policy engine, no Redis, no console (the SDK brings click and rich itself)."""
    loaded = subprocess.run(
        [sys.executable, "-c", PROBE], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "gateway.authoring.server" in loaded
    assert [name for name in HEAVY if name in loaded] == []
