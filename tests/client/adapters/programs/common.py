"""What the programs share. They run where only the client's own needs and the framework are installed."""

from __future__ import annotations

import json
import os
from typing import Any

from gateway.client import specs_of
from tests.client.adapters.programs.tool import PARAMETERS, SCHEMA

SESSION = "unsafe-session-token-of-a-test"
USUAL, UNKNOWN, REFUSES = (os.environ[name] for name in ("USUAL", "UNKNOWN", "REFUSES"))
__all__ = ["PARAMETERS", "SCHEMA", "SPECS"]
SPECS = specs_of([{"name": "create_refund", "description": "Gives money back.", "inputSchema": SCHEMA}])


def say(**found: Any) -> None:
    """For the test."""
    print(json.dumps(found))
