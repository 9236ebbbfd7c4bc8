"""docker-compose.yml on machines without Docker: each service's own command, as a process of this machine.

What is translated is only what a container changes: names of services become 127.0.0.1, ports become free
ones, and the paths of volumes become directories. So a command line, a variable or a mount that is wrong in the
file is wrong here too. Not checked: the images themselves, users, capabilities and networks.
"""

import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from tests.support.ports import free_port

REPOSITORY = Path(__file__).parents[2]
# A service is up in well under a second; this bounds how long a broken one can hold up a run.
START_DEADLINE_S = 20.0
POLL_S = 0.05
STOP_DEADLINE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a container image adds to a service's command; the files of the images are elsewhere."""

    entrypoint: tuple[str, ...]
    workdir: str
    port: int
    # How the program is told an address that the compose file leaves at its default.
    listen: tuple[str, ...] = ()


IMAGES = {
    "gateway": Image(entrypoint=("countersign",), workdir="/data", port=3000),
    "simulator": Image(entrypoint=("countersign",), workdir="/data", port=8080),
    "opa": Image(entrypoint=("/opa",), workdir="/", port=8181),
    "redis": Image(
        entrypoint=(), workdir="/data", port=6379, listen=("--bind", "127.0.0.1", "--port", "{port}")
    ),
}


@dataclass(frozen=True, kw_only=True)
class LocalCommand:
    """One service as a process; `health` exits 0 when the service is healthy, and is empty if it has no check."""

    argv: tuple[str, ...]
    health: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a composition runs locally: a directory for its volumes, the programs, one port per service."""

    root: Path
    programs: Mapping[str, str]
    ports: Mapping[str, int] = field(default_factory=lambda: {name: free_port() for name in IMAGES})


def load(variables: Mapping[str, str]) -> dict[str, Any]:
    """docker-compose.yml as compose reads it with these variables set.

    `${NAME:-default}` is filled in (`ValueError` for one without a default); an entry of `environment` without a
    value takes the variable of its own name, or is left out.
    """
    text = (REPOSITORY / "docker-compose.yml").read_text()

    def fill(match: re.Match[str]) -> str:
        if match["default"] is None:
            raise ValueError(f"{match[0]} has no default")
        return variables.get(match["name"]) or match["default"]

    filled, again = text, 1
    while again:  # from the innermost outwards: a default may hold another variable
        filled, again = re.subn(r"\$\{(?P<name>\w+)(?::-(?P<default>[^${}]*))?\}", fill, filled)
    loaded: dict[str, Any] = yaml.safe_load(filled)
    for service in loaded["services"].values():
        given = {name: value for name, value in service.get("environment", {}).items() if value is not None}
        passed = {name: variables[name] for name in service.get("environment", {}) if name in variables}
        service["environment"] = passed | given
    return loaded


def demo_variables() -> dict[str, str]:
    """The variables that .env.demo sets."""
    lines = (REPOSITORY / ".env.demo").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def local_command(compose: Mapping[str, Any], name: str, place: Place) -> LocalCommand:
    """The service as a process on this machine. Makes its volumes; folders of the checkout are copied."""
    service, image = compose["services"][name], IMAGES[name]
    mounts = _mounts(service.get("volumes", []), place.root / name)
    listen = [word.format(port=place.ports[name]) for word in image.listen]
    argv = [*image.entrypoint, *service["command"], *listen]

    env = {key: str(value) for key, value in service.get("environment", {}).items()}

    def local(text: str) -> str:
        return _local_paths(_local_addresses(text, name, place), mounts, place.root / name)

    def local_argv(words: list[str]) -> tuple[str, ...]:
        return (place.programs.get(words[0], words[0]), *(local(word) for word in words[1:])) if words else ()

    return LocalCommand(
        argv=local_argv(argv),
        health=local_argv(_health(service)),
        env={key: local(value) for key, value in env.items()},
        cwd=_inside(place.root / name, image.workdir),
    )


@contextmanager
def running(compose: Mapping[str, Any], names: list[str], place: Place) -> Iterator[dict[str, int]]:
    """The services, started one after the other, each when the one before is healthy; the port of each."""
    with ExitStack() as stack:
        for name in names:
            command = local_command(compose, name, place)
            command.cwd.mkdir(parents=True, exist_ok=True)
            log = stack.enter_context((place.root / f"{name}.log").open("w+b"))
            process = subprocess.Popen(
                command.argv,
                env=command.env,
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            stack.callback(_stop, process)
            _await_health(name, process, command)
        yield {name: place.ports[name] for name in names}


def _await_health(name: str, process: subprocess.Popen[bytes], command: LocalCommand) -> None:
    deadline = time.monotonic() + START_DEADLINE_S
    while not _healthy(name, process, command):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not become healthy: {shlex.join(command.argv)}")
        time.sleep(POLL_S)


def _healthy(name: str, process: subprocess.Popen[bytes], command: LocalCommand) -> bool:
    if not command.health:
        return process.poll() is None
    return subprocess.run(command.health, capture_output=True, check=False).returncode == 0


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _health(service: Mapping[str, Any]) -> list[str]:
    """The words of the health command after `CMD`: the service's own, else that of the image we build."""
    check = service.get("healthcheck")
    if check is None and "build" in service:
        return dockerfile_health()
    words: list[str] = (check or {}).get("test", [])
    return words[1:]


def dockerfile_health() -> list[str]:
    """The words of the HEALTHCHECK in our Dockerfile."""
    text = (REPOSITORY / "Dockerfile").read_text()
    found = re.search(r"^HEALTHCHECK.*?CMD (\[.*?\])$", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    words: list[str] = yaml.safe_load(found[1])
    return words


def mount_of(volume: str | Mapping[str, Any]) -> tuple[str, str, bool]:
    """Source, target and whether it is read-only, of a volume in its short or its long form."""
    if isinstance(volume, str):
        source, target, *mode = volume.split(":")
        return source, target, mode == ["ro"]
    return volume["source"], volume["target"], volume.get("read_only") is True


def _mounts(volumes: list[str | Mapping[str, Any]], root: Path) -> list[str]:
    targets = []
    for source, target, _ in map(mount_of, volumes):
        inside, outside = _inside(root, target), REPOSITORY / source
        inside.parent.mkdir(parents=True, exist_ok=True)
        if not source.startswith("."):
            inside.mkdir(exist_ok=True)
        elif outside.is_dir():
            shutil.copytree(outside, inside, dirs_exist_ok=True)
        else:
            shutil.copyfile(outside, inside)
        targets.append(target)
    return targets


def _local_addresses(text: str, name: str, place: Place) -> str:
    """`opa:8181`, and for the service itself `0.0.0.0:8181` and `127.0.0.1:8181`, as local addresses."""
    for other, port in place.ports.items():
        inside = IMAGES[other].port
        names = [other, r"0\.0\.0\.0", r"127\.0\.0\.1"] if other == name else [other]
        text = re.sub(rf"(?<![\w.-])(?:{'|'.join(names)}):{inside}(?!\d)", f"127.0.0.1:{port}", text)
    return text


def _local_paths(text: str, mounts: list[str], root: Path) -> str:
    """The word itself, or what follows its `=`, when it is a path in or above a volume."""
    before, equals, path = text.rpartition("=")
    if not path.startswith("/"):
        return text
    for mount in mounts:
        if PurePosixPath(path).is_relative_to(mount) or PurePosixPath(mount).is_relative_to(path):
            return f"{before}{equals}{_inside(root, path)}"
    return text


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")
