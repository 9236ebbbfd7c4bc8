"""A process that writes audit records until it is killed: `python -m tests.audit.write_worker FILE`.

Prints the number of each record after it is durable.
"""

import asyncio
import itertools
import sys
from pathlib import Path

from gateway.audit.file_sink import FileSink
from tests.support.audit import a_record, a_signer


async def _main(path: str) -> None:
    sink = FileSink(Path(path), signer=a_signer(every=7))
    for n in itertools.count():
        await sink.append(a_record(f"call-{n}", tool="x" * 200), durable=n % 3 == 0)
        if n % 3 == 0:
            print(n, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
