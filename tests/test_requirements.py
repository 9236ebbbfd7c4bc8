"""The lock files: what is installed is what pyproject.toml asks for, and exactly what was locked."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parents[1]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
ASKED = {
    "build": PROJECT["build-system"]["requires"],
    "runtime": PROJECT["project"]["dependencies"],
    "test": PROJECT["project"]["dependencies"] + EXTRAS["test"] + EXTRAS["lint"],
}
EACH = pytest.mark.parametrize("lock", sorted(ASKED))


def text_of(lock: str) -> str:
    """The lock file with comments removed and its continued lines joined."""
    text = (REPOSITORY / f"requirements/{lock}.txt").read_text()
    return re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")


def locked(lock: str) -> dict[str, str]:
    """The version of each locked package, by its normalized name."""
    lines = [line.split(" --hash")[0].split(";")[0] for line in text_of(lock).splitlines()]
    pins = [line.strip().split("==") for line in lines]
    return {canonicalize_name(name): version for name, version in pins}


@EACH
def test_the_lock_holds_what_the_project_asks_for(lock: str) -> None:
    """Every dependency of pyproject.toml is locked to a version that it allows."""
    versions = locked(lock)
    for requirement in map(Requirement, ASKED[lock]):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not in the lock: make lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement}, locked {version}"


@EACH
def test_every_line_is_pinned_and_hashed(lock: str) -> None:
    """A package that was replaced after the lock was made does not install."""
    for line in text_of(lock).splitlines():
        assert re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line), line[:80]


@EACH
def test_the_lock_names_no_host(lock: str) -> None:
    """Where packages come from is the installer's setting, so that a mirror works."""
    assert "://" not in text_of(lock)


def test_tests_run_on_what_is_shipped() -> None:
    """A package that both locks hold has the same version in both."""
    runtime, test = locked("runtime"), locked("test")
    assert {name: test.get(name) for name in runtime} == runtime
