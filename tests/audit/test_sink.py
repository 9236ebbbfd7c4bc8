"""The chain on a descriptor."""

import os

import pytest

from gateway.audit.sink import Sink, StdoutSink
from gateway.audit.verify import verify_lines
from gateway.errors import AuditUnavailable
from tests.support.audit import a_key, a_record, a_signer, lines_of


def is_healthy(sink: Sink) -> bool:
    """What the sink says now."""
    return sink.healthy


async def test_what_a_collector_reads_verifies() -> None:
    """Records and checkpoints, closed."""
    reader, writer = os.pipe()
    sink = StdoutSink(fd=writer, signer=a_signer(every=2))
    for n in range(5):
        await sink.append(a_record(str(n)), durable=bool(n % 2))
    await sink.aclose()
    await sink.aclose()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        found = verify_lines(lines_of(pipe.read()), [a_key().public_key()])

    assert (found.ok, found.records, found.closed) == (True, 5, True)
    assert not is_healthy(sink)
    with pytest.raises(AuditUnavailable):
        await sink.append(a_record(), durable=False)


async def test_a_collector_that_is_gone_makes_it_unavailable() -> None:
    """A closed pipe is not a silent loss."""
    reader, writer = os.pipe()
    os.close(reader)
    sink = StdoutSink(fd=writer)
    with pytest.raises(AuditUnavailable):
        await sink.append(a_record(), durable=False)

    assert not is_healthy(sink)
    os.close(writer)


async def test_a_full_pipe_is_accounted_for_when_it_drains() -> None:
    """The half line that fitted is named, the lost records are counted, and the stream verifies."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sink = StdoutSink(fd=writer)
    lost = 0
    while lost < 3:
        try:
            await sink.append(a_record(tool="x" * 250), durable=False)
        except AuditUnavailable:
            lost += 1
    assert not is_healthy(sink)
    read = os.read(reader, 1 << 20)
    await sink.append(a_record("after"), durable=False)
    assert is_healthy(sink)
    await sink.aclose()
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        content = read + pipe.read()
    found = verify_lines(lines_of(content))

    assert found.ok, found.problems
    assert b'"lost":3' in content
    assert b'"call_id":"after"' in content
