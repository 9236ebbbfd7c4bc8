"""The secured server of the tests as a program: ``python -m tests.authoring.stdio_server IDP_URL FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.authoring.secured import etdi_of, server_of
from tests.support.tool_idp import ToolIdp

if __name__ == "__main__":
    server_of(etdi_of(ToolIdp(url=sys.argv[1]), Path(sys.argv[2]))).run("stdio")
