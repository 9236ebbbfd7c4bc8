"""An MCP server whose tools carry signed, versioned definitions. Beside it: etdi.json of `countersign etdi migrate`.

ETDI_OAUTH_ISSUER, ETDI_OAUTH_CLIENT_ID and ETDI_OAUTH_CLIENT_SECRET say who grants its tokens.
"""

import os
from pathlib import Path

from gateway.authoring.environment import etdi_from_environment
from gateway.authoring.server import SecureServer

MANIFEST = Path(os.environ.get("ETDI_MANIFEST", "etdi.json"))

server = SecureServer("rates", etdi=etdi_from_environment(MANIFEST))


@server.tool(permissions=["rates:read"])
def exchange_rate(currency: str) -> str:
    """The rate of a currency."""
    return f"1 USD is 0.92 {currency}"


if __name__ == "__main__":
    server.run("stdio")
