"""One of several processes that take the same keys at once: `python take_worker.py FILE KEYS SEED`.

Says `ready`, waits for a line, then prints the keys that it was given.
"""

import asyncio
import random
import sys
from pathlib import Path

from gateway.state.sqlite import SqliteStore
from gateway.state.store import Space


async def _main(path: str, keys: int, seed: int) -> None:
    store = SqliteStore(Path(path), deadline_s=60)
    await store.ping()
    order = [f"k{n}" for n in range(keys)]
    # Nearly the same order everywhere, so that the processes meet at most keys.
    order.sort(key=lambda key: int(key[1:]) + random.Random(f"{seed}{key}").random() * 4)
    print("ready", flush=True)
    sys.stdin.readline()
    taken = await asyncio.gather(*(store.take(Space.HANDSHAKE, key) for key in order))
    for key, value in zip(order, taken, strict=True):
        if value is not None:
            print(key, value.decode())
    await store.aclose()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
