"""A program: the PayPal server on stdin and stdout, with the simulator behind it. Started by the stdio tests."""

from __future__ import annotations

import asyncio
import sys

from gateway.upstream.paypal.stdio import serve_stdio
from tests.upstream.paypal.conversation import Conversation


async def main() -> None:
    """Serve until stdin ends."""
    paypal = Conversation()
    try:
        await serve_stdio(paypal.server, sys.stdin.buffer, sys.stdout.buffer)
    finally:
        await paypal.aclose()


if __name__ == "__main__":
    asyncio.run(main())
