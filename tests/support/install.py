"""Gets the parts that tests need and this machine lacks: `make parts`, or `python -m tests.support.install`.

In this order: what is there already; the program taken out of its container image where a Docker engine
answers; `go build` of the pinned version, checked against Go's checksum database; Debian's package. A
part that cannot be had is reported and is not an error here: the tests that need it say what they
missed, and fail under `CI=true`.
"""

import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from docker.errors import DockerException

from tests.support import containers, frameworks, npm, parts
from tests.support.parts import Part

# Building OPA from an empty module cache takes about two minutes on two cores.
BUILD_TIMEOUT_S = 1200


class NotThisWayError(Exception):
    """This way of getting the part does not work on this machine; the message says why."""


def install(part: Part) -> str:
    """Get a part that is missing; how it was had, or why it was not, as the end of a progress line."""
    reasons = []
    for way in (from_image, by_go, by_apt):
        try:
            return way(part)
        except NotThisWayError as error:
            reasons.append(str(error))
    return "NOT HAD: " + "; ".join(reasons)


def present(part: Part) -> Path | None:
    """The part on PATH or, of the pinned version, in the cache; an outdated one of ours is not present."""
    found = parts.find(part)
    if found and found.parent == parts.bin_dir() and _built_version(found) != part.version:
        return None
    return found


def from_image(part: Part) -> str:
    """Take a static program out of its image; a part that has only an image is used as a container."""
    if not part.image:
        raise NotThisWayError("no container image")
    if not containers.engine_answers():
        raise NotThisWayError("no Docker engine")
    if not part.path_in_image:
        return f"as the container {part.image}"
    if platform.system() != "Linux":
        raise NotThisWayError("the image holds a Linux program")
    try:
        return _keep(part, lambda target: containers.copy_program(part, target))
    except DockerException as error:
        raise NotThisWayError(f"{part.image} cannot be pulled: {error}") from error


def by_go(part: Part) -> str:
    """Build the pinned version with the Go that is installed.

    In a module of our own that requires the part, not by `go install`: that refuses modules with `replace`
    directives, and asks a module proxy for every version there is.
    """
    if not part.go_module:
        raise NotThisWayError("not a Go program")
    if (go := shutil.which("go")) is None:
        raise NotThisWayError("no go")

    def build(target: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="cs-go-") as module:
            requirement = f"module parts\n\ngo 1.25\n\nrequire {part.go_module} v{part.version}\n"
            Path(module, "go.mod").write_text(requirement)
            command = [go, "build", "-mod=mod", "-trimpath", "-o", str(target), part.go_module]
            _run(command, cwd=module, env={"CGO_ENABLED": "0"})

    return _keep(part, build)


def by_apt(part: Part) -> str:
    """Install Debian's package, where we are root and there is apt-get."""
    if not part.apt_package:
        raise NotThisWayError("no Debian package")
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NotThisWayError(f"not root on Debian (there: apt-get install {part.apt_package})")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "update", "-q"], env=quiet)
    _run(["apt-get", "install", "-qy", "--no-install-recommends", part.apt_package], env=quiet)
    return f"installed Debian's {part.apt_package}"


def main() -> None:
    """Get every part that is missing, with a line before and after, since a build takes its time."""
    for part in parts.ALL:
        if present(part):
            continue
        print(f"getting {part.name} {part.version} (once; a build takes minutes) ...", flush=True)
        started = time.monotonic()
        print(f"{part.name}: {install(part)} ({time.monotonic() - started:.0f} s)", flush=True)
    had = [part.name for part in parts.ALL if present(part)]
    had += [name for name in npm.PACKAGES if npm.prefetched(name)]
    had += [one.name for one in frameworks.ALL if frameworks.prefetched(one)]
    print(f"parts: {', '.join(had) or 'none'}")


def _keep(part: Part, write: Callable[[Path], None]) -> str:
    """Put the program that `write` makes into the cache, whole or not at all, with its version beside it."""
    target = parts.bin_dir() / part.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as scratch:
        made = Path(scratch, part.name)
        write(made)
        # Replaced, never written over: a test run of another checkout may be running the old program.
        made.replace(target)
    _version_file(target).write_text(part.version + "\n")
    return f"made {target}"


def _version_file(program: Path) -> Path:
    return program.with_name(program.name + ".version")


def _built_version(program: Path) -> str:
    try:
        return _version_file(program).read_text().strip()
    except FileNotFoundError:
        return ""


def _run(command: list[str], *, cwd: str | None = None, env: dict[str, str]) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NotThisWayError(f"{' '.join(command[:2])} failed: {' '.join(said)}")


if __name__ == "__main__":
    main()
