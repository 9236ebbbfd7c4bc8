"""One of several processes that reserve on the same accounts at once: `python reserve_worker.py URL NAME COUNT BOUND`.

Says `ready`, waits for a line, then prints the names of the reservations that fitted.
"""

import asyncio
import sys

from gateway.state.ledger import Line, Mode
from gateway.state.open import open_store


async def _main(url: str, name: str, count: int, bound: int) -> None:
    store = open_store(url)
    await store.ping()
    print("ready", flush=True)
    sys.stdin.readline()
    lines = [Line(account=account, amount=3, bound=bound, ttl_s=600) for account in ("one", "other")]
    mine = [f"{name}-{n}" for n in range(count)]
    done = await asyncio.gather(*(store.reserve(one, lines, mode=Mode.COMMIT) for one in mine))
    for one, reserved in zip(mine, done, strict=True):
        if reserved.fits:
            print(one)
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
