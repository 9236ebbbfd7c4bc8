"""The audit file under use and under faults: what was promised is in it, and it says what is not."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.audit.checkpoint import Signer
from gateway.audit.file_sink import FileSink
from gateway.audit.sink import Sink
from gateway.audit.tail import MAX_FILES
from gateway.audit.verification import Verification
from gateway.audit.verify import verify_file
from gateway.errors import AuditUnavailable
from tests.support.audit import Clock, a_key, a_record, a_signer
from tests.support.faults import no_file_longer_than, readable_directory, without_rights

ROOT = Path(__file__).parents[2]
KEY = a_key().public_key()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the audit goes, in a directory that does not exist yet."""
    return tmp_path / "made" / "audit.jsonl"


@pytest.fixture
async def sink(path: Path) -> AsyncIterator[FileSink]:
    """A sink that retries at once."""
    opened = FileSink(path, retry_after_s=0)
    yield opened
    await opened.aclose()


def content(path: Path) -> bytes:
    """The file's bytes."""
    return path.read_bytes()


def left_behind(path: Path, data: bytes) -> None:
    """A file that was there before the sink."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def checked(path: Path) -> Verification:
    """Verified with the key of `a_signer`, or without."""
    return verify_file(path, KEY if b'"checkpoint"' in content(path) else None)


def is_healthy(sink: Sink) -> bool:
    """What the sink says now."""
    return sink.healthy


async def test_records_are_lines_of_one_chain(path: Path) -> None:
    """Durable or not, over a restart, with checkpoints."""
    for start in range(3):
        sink = FileSink(path, signer=a_signer(every=5))
        for n in range(10):
            await sink.append(a_record(f"{start}-{n}"), durable=n % 4 == 0)
        assert is_healthy(sink)
        await sink.aclose()
    found = checked(path)

    assert (found.ok, found.records, found.closed) == (True, 30, True)
    assert found.covered == found.lines


async def test_the_file_is_the_owners_alone(path: Path, sink: FileSink) -> None:
    """0600, in a directory of 0700."""
    assert os.stat(path).st_mode & 0o777 == 0o600  # noqa: PTH116
    assert os.stat(path.parent).st_mode & 0o777 == 0o700  # noqa: PTH116


async def test_two_writers_never_share_a_chain(path: Path) -> None:
    """The second writes beside the first; after both are gone the first file is used again."""
    sinks = [FileSink(path) for _ in range(3)]
    for n, sink in enumerate(sinks):
        await sink.append(a_record(str(n)), durable=False)
    assert [sink.path.name for sink in sinks] == ["audit.jsonl", "audit.1.jsonl", "audit.2.jsonl"]
    for sink in sinks:
        await sink.aclose()
    chains = {checked(sink.path).chain for sink in sinks}
    assert len(chains) == 3
    again = FileSink(path)
    assert again.path == path
    await again.aclose()


async def test_when_every_name_is_taken_the_audit_is_unavailable(path: Path) -> None:
    """Rather than a chain that two write."""
    sinks = [FileSink(path) for _ in range(MAX_FILES + 1)]
    with pytest.raises(AuditUnavailable):
        FileSink(path)
    for sink in sinks:
        await sink.aclose()


async def test_concurrent_durable_appends_are_all_there(path: Path, sink: FileSink) -> None:
    """They share fsyncs and keep their order."""
    await asyncio.gather(*(sink.append(a_record(f"call-{n}"), durable=True) for n in range(50)))
    found = checked(path)

    assert (found.ok, found.records) == (True, 50)


async def test_a_cancelled_durable_append_is_still_written(path: Path, sink: FileSink) -> None:
    """And does not disturb the one that waits for the same fsync."""
    first = asyncio.ensure_future(sink.append(a_record("cancelled"), durable=True))
    second = asyncio.ensure_future(sink.append(a_record("patient"), durable=True))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second

    assert checked(path).records == 2


def test_a_process_killed_while_writing_leaves_a_file_that_goes_on(path: Path) -> None:
    """kill -9, four times: whatever was reported durable is there, each start continues the chain, all
    verifies."""
    promised = 0
    for _ in range(4):
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.audit.write_worker", str(path)], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert worker.stdout is not None
        numbers = [int(worker.stdout.readline()) for _ in range(20)]
        worker.kill()
        numbers += [int(line) for line in worker.communicate()[0].split(b"\n") if line]
        promised += numbers[-1] + 1
    asyncio.run(_open_and_close(path))
    found = checked(path)

    assert found.ok, found.problems
    assert found.records >= promised
    assert found.closed


async def _open_and_close(path: Path) -> None:
    await FileSink(path, signer=a_signer(every=7)).aclose()


async def test_a_torn_last_line_is_kept_and_named(path: Path) -> None:
    """Evidence is closed off, never cut away."""
    sink = FileSink(path)
    await sink.append(a_record("whole"), durable=False)
    await sink.aclose()
    crashed = content(path) + b'{"seq":2,"prev":"00'
    left_behind(path, crashed)
    sink = FileSink(path)
    await sink.append(a_record("after"), durable=False)
    await sink.aclose()

    assert content(path).startswith(crashed + b"\n")
    found = checked(path)
    assert (found.ok, found.records, len(found.notes)) == (True, 2, 1)


@pytest.mark.parametrize("data", [b"not an audit\n" * 1000, b"\0" * 5000])
async def test_a_foreign_file_is_left_alone(path: Path, data: bytes) -> None:
    """Work goes on beside it."""
    left_behind(path, data)
    sink = FileSink(path)
    await sink.append(a_record(), durable=False)
    await sink.aclose()

    assert content(path) == data
    assert sink.path.name == "audit.1.jsonl"


async def test_a_chain_without_its_beginning_is_left_alone(path: Path) -> None:
    """Its id is gone; continuing it would make a cut look like our own file."""
    sink = FileSink(path)
    for n in range(3):
        await sink.append(a_record(str(n)), durable=False)
    await sink.aclose()
    cut = content(path).partition(b"\n")[2]
    left_behind(path, cut)
    sink = FileSink(path)
    await sink.aclose()

    assert content(path) == cut
    assert sink.path.name == "audit.1.jsonl"


async def test_a_symbolic_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    """Somebody who may write the directory must not choose which file is appended to."""
    left_behind(tmp_path / "target", b"")
    os.makedirs(path.parent)  # noqa: PTH103
    os.symlink(tmp_path / "target", path)  # noqa: PTH211
    with pytest.raises(AuditUnavailable):
        FileSink(path)

    assert content(tmp_path / "target") == b""


def test_a_read_only_directory_is_unavailable_at_the_start() -> None:
    """The error names neither path nor cause of the host."""
    with readable_directory() as directory:
        directory.chmod(0o555)
        with without_rights(), pytest.raises(AuditUnavailable) as caught:
            FileSink(directory / "audit.jsonl")
        assert str(directory) not in str(caught.value)
        directory.chmod(0o755)


async def test_a_full_disk_makes_it_unavailable() -> None:
    """ENOSPC on the first byte (/dev/full): each append says so, durable or not, and so does the sink."""
    sink = FileSink(Path("/dev/full"), retry_after_s=0)
    for durable in (False, True):
        with pytest.raises(AuditUnavailable):
            await sink.append(a_record(), durable=durable)
        assert not is_healthy(sink)
    await sink.aclose()


@pytest.mark.parametrize("signer", [None, a_signer()], ids=["plain", "signed"])
@pytest.mark.parametrize("room", [0, 1, 200, 700, 1300])
async def test_a_disk_that_fills_in_the_middle_of_a_line(
    path: Path, room: int, signer: Signer | None
) -> None:
    """The caller is told, the half line stays, and when there is room again a gap line says what is
    missing."""
    sink = FileSink(path, signer=signer, retry_after_s=0)
    await sink.append(a_record("before"), durable=True)
    size = len(content(path))
    with no_file_longer_than(size + room):
        for n in range(4):
            try:
                await sink.append(a_record(f"full-{n}"), durable=False)
            except AuditUnavailable:
                assert not is_healthy(sink)
        assert not is_healthy(sink)
    await sink.append(a_record("after"), durable=True)
    assert is_healthy(sink)
    await sink.aclose()
    found = checked(path)

    assert found.ok, found.problems
    assert b'"gap":{' in content(path)
    assert b'"call_id":"after"' in content(path)
    assert any("records lost" in note.what for note in found.notes)


async def test_a_broken_disk_is_not_tried_for_every_call() -> None:
    """Between two tries appends are refused at once, and counted."""
    monotonic = Clock(1000.0)
    sink = FileSink(Path("/dev/full"), monotonic=monotonic, retry_after_s=5)
    messages = []
    for wait in (0, 0, 4.9, 0.1):
        monotonic.seconds += wait
        with pytest.raises(AuditUnavailable) as caught:
            await sink.append(a_record(), durable=False)
        messages.append("at the moment" in caught.value.message)
    await sink.aclose()

    assert messages == [False, True, True, False]


async def test_what_cannot_be_synced_is_not_called_durable() -> None:
    """/dev/null takes every write and refuses every fsync: each waiting caller is told, and so is the next record."""
    sink = FileSink(Path("/dev/null"))
    waiting = [sink.append(a_record(str(n)), durable=True) for n in range(3)]
    results = await asyncio.gather(*waiting, return_exceptions=True)

    assert [type(found) for found in results] == [AuditUnavailable] * 3
    assert not is_healthy(sink)
    await sink.append(a_record(), durable=False)
    assert not is_healthy(sink)
    await sink.aclose()


async def test_a_deleted_file_is_noticed(path: Path, sink: FileSink) -> None:
    """Writes to it would succeed and be seen by nobody: a new chain begins under the old name."""
    await sink.append(a_record("gone"), durable=True)
    before = checked(path)
    os.unlink(path)  # noqa: PTH108
    await sink.append(a_record("seen"), durable=True)
    after = checked(path)

    assert (after.ok, after.records) == (True, 1)
    assert after.chain != before.chain


async def test_a_renamed_file_is_still_the_same_chain(path: Path, sink: FileSink) -> None:
    """A log rotation that renames loses nothing until the gateway is started again."""
    await sink.append(a_record("one"), durable=False)
    os.rename(path, path.with_name("old.jsonl"))  # noqa: PTH104
    await sink.append(a_record("two"), durable=True)

    found = checked(path.with_name("old.jsonl"))
    assert (found.ok, found.records) == (True, 2)


async def test_a_closed_sink_takes_nothing(path: Path) -> None:
    """Closing twice is harmless."""
    sink = FileSink(path)
    await sink.aclose()
    await sink.aclose()

    assert not is_healthy(sink)
    with pytest.raises(AuditUnavailable):
        await sink.append(a_record(), durable=False)


def test_a_forked_child_may_not_write(path: Path) -> None:
    """It shares the lock, so nothing else would keep two processes from writing one chain."""
    script = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from gateway.audit.file_sink import FileSink\n"
        "from gateway.errors import AuditUnavailable\n"
        "from tests.support.audit import a_record\n"
        "sink = FileSink(Path(sys.argv[1]))\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        asyncio.run(sink.append(a_record(), durable=False))\n"
        "    except AuditUnavailable:\n"
        "        os._exit(7)\n"
        "    os._exit(0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    finished = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)

    assert finished.returncode == 7
    assert content(path) == b""
