"""The parts that other tests stand on."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
import redis

from tests.support import containers, install, parts


def test_the_opa_found_is_new_enough(opa_binary: Path) -> None:
    """Policies are tested on the OPA that docker-compose.yml runs, or, from PATH, on a later one of its major."""
    said = subprocess.run([opa_binary, "version"], capture_output=True, text=True, check=True).stdout
    version = [
        int(number) for number in said.splitlines()[0].removeprefix("Version: ").split("-")[0].split(".")
    ]
    pinned = [int(number) for number in parts.OPA.version.split(".")]
    assert version[0] == pinned[0]
    assert version >= pinned


def test_redis_takes_and_gives_back(redis_url: str) -> None:
    """The Redis of the run is a real one: what is set can be read back."""
    with redis.from_url(redis_url) as client:
        client.set("left-behind", "1")
        assert client.get("left-behind") == b"1"


def test_redis_is_empty_for_each_test(redis_url: str) -> None:
    """No test sees keys that the test before it left."""
    with redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_a_missing_part_skips_at_home_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """CI cannot lose a part unnoticed; a laptop without it still runs the rest."""
    lacking = parts.Part(name="no-such-program", version="1.0.0")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program"):
        parts.require(lacking)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program"):
        parts.require(lacking)


def test_an_outdated_build_of_ours_is_not_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new pin builds anew instead of going on with what the cache holds."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    part = parts.Part(name="countersign-test-part", version="2.0.0")
    program = parts.bin_dir() / part.name
    program.parent.mkdir(parents=True)
    program.touch(0o755)
    version = program.with_name(f"{part.name}.version")
    version.write_text("1.0.0\n")
    assert install.present(part) is None
    version.write_text("2.0.0\n")
    assert install.present(part) == program


def test_a_part_that_cannot_be_had_says_why_not() -> None:
    """Each way that was tried gives its reason, so that nobody has to guess what to install."""
    assert install.install(parts.Part(name="no-such-program", version="1.0.0")) == (
        "NOT HAD: no container image; not a Go program; no Debian package"
    )


def test_a_program_is_taken_out_of_an_image(tmp_path: Path) -> None:
    """The one file in the archive that Docker gives becomes a program; anything else is refused."""
    target = tmp_path / "program"
    containers.write_program(archive_of("opa"), target)
    assert target.read_bytes() == b"#!/bin/sh\n"
    assert target.stat().st_mode & 0o777 == 0o755
    with pytest.raises(ValueError, match="exactly one"):
        containers.write_program(archive_of("opa", "passwd"), target)


def archive_of(*names: str) -> bytes:
    """A tar archive of small files."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(b"#!/bin/sh\n")
            tar.addfile(member, io.BytesIO(b"#!/bin/sh\n"))
    return out.getvalue()
