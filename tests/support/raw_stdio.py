"""An MCP server on its pipes that does to a call what its arguments say. Standard library only: it starts at once.

As a program: ``python raw_stdio.py modern|legacy|deaf|dead|mute``. What arrives is written to the file that the
variable ``SEEN`` names, one line each.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any


def write(message: Any) -> None:
    """One message."""
    raw(json.dumps(message).encode() + b"\n")


def raw(data: bytes) -> None:
    """These bytes."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def note(message: Any) -> None:
    """Keep it."""
    with open(os.environ["SEEN"], "a", encoding="utf-8") as file:  # noqa: PTH123 - it starts faster
        file.write(json.dumps(message) + "\n")


def called(message: dict[str, Any]) -> None:  # noqa: C901 - a table
    """Answer a call, or not."""
    arguments = message["params"]["arguments"]
    answer = {"jsonrpc": "2.0", "id": message["id"], "result": {"content": [], "pid": os.getpid()}}
    said = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": arguments.get("text")}}
    ask = {"jsonrpc": "2.0", "id": "q1", "method": "elicitation/create", "params": {"message": "?"}}
    match message["params"]["name"]:
        case "die":
            os._exit(3)
        case "hang":
            return
        case "garbage":
            raw(b"Starting server...\n\x00\xff\n{]\n\n[]\n")
        case "long":
            raw(b'{"jsonrpc":"2.0","id":%d,"result":{"x":"' % message["id"] + b"x" * 10_000_000 + b'"}}\n')
            return
        case "half":
            raw(json.dumps(answer).encode()[:-3])
            os._exit(0)
        case "foreign":
            write({**answer, "id": 999_999})
            write({**answer, "id": str(message["id"])})
        case "twice":
            write(answer)
        case "ask":
            write(ask)
            return
        case "say":
            write(said)
        case "flood":
            for _ in range(100):
                write({**said, "params": {"data": "x" * 1_000_000}})
        case "stderr":
            sys.stderr.write(arguments["text"])
            sys.stderr.flush()
        case "children":
            child = subprocess.Popen(["sleep", "1000"])
            answer["result"]["child"] = child.pid
        case "environment":
            answer["result"]["environment"] = dict(os.environ)
            answer["result"]["folder"] = os.getcwd()  # noqa: PTH109
        case "close":
            os.close(1)
            time.sleep(1000)
    write(answer)


def main(how: str) -> None:
    """Serve."""
    if how == "dead":
        os._exit(1)
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for line in sys.stdin:
        message = json.loads(line)
        note(message)
        method, request_id = message.get("method"), message.get("id")
        if method == "server/discover" and how == "modern":
            write({"jsonrpc": "2.0", "id": request_id, "result": {"supportedVersions": ["2026-07-28"]}})
        elif method == "initialize" and how != "mute":
            result = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {}}
            write({"jsonrpc": "2.0", "id": request_id, "result": result})
        elif method == "tools/call":
            called(message)
        elif method is None:
            write(
                {
                    "jsonrpc": "2.0",
                    "id": 2 if how == "legacy" else request_id,
                    "result": {"answered": message},
                }
            )
        elif request_id is not None and how not in ("deaf", "mute"):
            write({"jsonrpc": "2.0", "id": request_id, "error": {"code": -32601, "message": "no"}})
    while how == "stubborn":
        time.sleep(1000)


if __name__ == "__main__":
    main(sys.argv[1])
