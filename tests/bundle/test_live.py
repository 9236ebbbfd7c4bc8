"""The whole way: built, signed, handed out by the gateway, polled and verified by OPA, and named in the record."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.bundle.acceptance import read_accepted
from gateway.bundle.archive import packed, unpacked
from gateway.bundle.building import Built
from gateway.policy.opa import OpaSidecar
from tests.support.answers import codes_of, status_of
from tests.support.bundled_house import Bundled, running_on_bundles
from tests.support.bundles import Pair, signed_archive
from tests.support.calls import READ
from tests.support.opa_process import OpaProcess
from tests.support.traces import Trace


@pytest.fixture
async def bundled(tmp_path: Path, opa_binary: Path) -> AsyncIterator[Bundled]:
    """With the first bundle live."""
    async with running_on_bundles(tmp_path, opa_binary) as running:
        yield running


async def test_a_new_bundle_decides_and_is_in_the_record(bundled: Bundled) -> None:
    """Within OPA's polling interval, without a restart; each decision says by which revision."""
    first = await read_accepted(bundled.house.gateway.store)
    assert first is not None
    trace = Trace(bundled.house)
    assert status_of(await bundled.house.call("list_invoices", READ)) == "executed"
    assert trace.record["decision"]["revision"] == first.revision

    second = await bundled.published(2, tools=["list_invoices"])
    trace = Trace(bundled.house)
    answer = await bundled.house.call("list_invoices", READ)
    assert "environment.closed" in codes_of(answer)
    assert trace.paypal == []
    assert trace.record["decision"]["revision"] == second
    accepted = await read_accepted(bundled.house.gateway.store)
    assert accepted is not None
    assert (accepted.revision, accepted.before) == (second, first.revision)


async def test_opa_starts_with_a_signed_file_and_with_no_other(
    tmp_path: Path, pair: Pair, built: Built, opa_binary: Path
) -> None:
    """`opa run --verification-key`: whole, it decides and names the revision; changed, OPA does not start."""
    path = tmp_path / "small.tar.gz"
    flags = ("--verification-key", str(pair.public_path), "--signing-alg", "ES256", "--scope", "here")
    path.write_bytes(signed_archive(built.files, pair, scope="here"))
    with OpaProcess(opa_binary, path, extra=flags) as opa:
        sidecar = OpaSidecar.at(opa.url, clock=time.monotonic, deadline_s=5)
        assert (await sidecar.ready()).revision == built.revision
        await sidecar.aclose()
    files = unpacked(path.read_bytes())
    name = "gateway/decision/decision.rego"
    for bad in ({**files, name: files[name] + b"\n"}, built.files):
        path.write_bytes(packed(bad))
        with pytest.raises(AssertionError):  # it ended; test_signature.py has its words
            OpaProcess(opa_binary, path, extra=flags).start()
