"""Where the real parts are that tests run against, and what happens when one is missing.

A part is a program that is not a Python package: OPA, Regal, redis-server. Tests only *find* parts, so that a
test run never compiles anything by surprise; `make parts` (`python -m tests.support.install`) gets what is
missing. Looked for in this order: on PATH, then in `bin_dir()`.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest


@dataclass(frozen=True, kw_only=True)
class Part:
    """One program, its pinned version, and each way to get it; an empty string is a way that does not exist.

    The versions stand here and in docker-compose.yml; tests/test_compose.py keeps the two equal. `version` is
    what is built or pulled: a program on PATH may be another one (an older redis-server serves as well).
    """

    name: str
    version: str
    image: str = ""
    path_in_image: str = ""
    go_module: str = ""
    apt_package: str = ""


OPA = Part(
    name="opa",
    version="1.20.2",
    image="openpolicyagent/opa:1.20.2-static",
    path_in_image="/opa",
    go_module="github.com/open-policy-agent/opa",
)
REGAL = Part(
    name="regal",
    version="0.39.0",
    go_module="github.com/open-policy-agent/regal",
)
REDIS = Part(
    name="redis-server",
    version="7.4.11",
    image="redis:7.4.11-alpine",
    apt_package="redis-server",
)
CHROMEDRIVER = Part(
    name="chromedriver",
    version="Debian's",
    apt_package="chromium-driver",  # brings chromium with it
)
ALL = (OPA, REGAL, REDIS, CHROMEDRIVER)


def bin_dir() -> Path:
    """The directory where parts that we built are kept, shared by all checkouts of this user."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "countersign" / "bin"


def find(part: Part) -> Path | None:
    """The program on PATH, else in the cache directory, else None. Does not check its version."""
    found = shutil.which(part.name) or shutil.which(part.name, path=str(bin_dir()))
    return Path(found).absolute() if found else None


def require(part: Part) -> Path:
    """`find`, but a missing part skips the test with the reason, or fails it under `CI=true`."""
    return find(part) or missing(f"{part.name} is neither on PATH nor in {bin_dir()}; `make parts` gets it")


def missing(reason: str) -> NoReturn:
    """Skip the running test; with `CI=true` fail it, so that a part CI lost cannot go unnoticed."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
