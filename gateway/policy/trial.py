"""An edited policy is tried in a process of its own before it decides in this one.

rego-cpp ends the process at some of what it cannot compile (two functions of one name with a different number of
arguments, for one) and may loop over more. Attack by accident: one save in an editor, and a running gateway is gone.
So a child loads it first, with all checks; only what it survived, and only that very revision, is loaded here.

The child has no settings, no secrets and no connection: its environment is what Python needs to find this package.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy

DEADLINE_S = 20.0
"""Loading takes some tenths of a second; beyond this it has no end."""
MAX_SAID = 4_000
"""Characters of a refusal that are passed on."""
REFUSED = 2
"""The child's exit status for a refusal in words; any other but 0 is an end that it did not choose."""
_PACKAGES = Path(__file__).parents[2]


async def tried(folder: Path) -> str:
    """The revision that a child has loaded.

    :raises PolicyRefused: with the child's words, or because it did not live.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # whatever lies where the gateway was started is not this package
        "-m",
        "gateway.policy.trial",
        str(folder),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": str(_PACKAGES)},
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            out, _ = await child.communicate()
    except TimeoutError:
        raise PolicyRefused(f"the policy is not loaded within {DEADLINE_S:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            child.kill()
    said = out.decode("utf-8", "replace").strip()[:MAX_SAID]
    if child.returncode == 0:
        return said
    if child.returncode == REFUSED:
        raise PolicyRefused(said)
    raise PolicyRefused(
        "the embedded engine does not survive this policy; `countersign policy check` with OPA says what is wrong"
    )


def main() -> int:
    """The child's side."""
    try:
        revision = load_policy(Path(sys.argv[1])).revision
    except PolicyRefused as refusal:
        said, status = refusal.message, REFUSED
    else:
        said, status = revision, 0
    sys.stdout.buffer.write(said.encode("utf-8", "replace"))
    return status


if __name__ == "__main__":
    sys.exit(main())
