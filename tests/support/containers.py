"""Parts as containers, through testcontainers, on machines that have a Docker engine but not the program."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker import client as docker
from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import PortWaitStrategy

from tests.support.parts import Part


def engine_answers() -> bool:
    """Whether a Docker engine can be reached; a client without an engine is common, and means no."""
    try:
        client = docker.from_env(timeout=5)
    except DockerException:
        return False
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()


@contextmanager
def running(part: Part, port: int) -> Iterator[tuple[str, int]]:
    """The part's image, started; the host and port at which the container's `port` can be reached."""
    container = DockerContainer(part.image).with_exposed_ports(port).waiting_for(PortWaitStrategy(port))
    with container:
        yield container.get_container_host_ip(), container.get_exposed_port(port)


def copy_program(part: Part, target: Path) -> None:
    """Write the part's program, taken out of its image, to `target`; `DockerException` when it cannot be."""
    client = docker.from_env()
    try:
        client.images.pull(part.image)
        container = client.containers.create(part.image)
        try:
            chunks, _ = container.get_archive(part.path_in_image)
            archive = b"".join(chunks)
        finally:
            container.remove()
    finally:
        client.close()
    write_program(archive, target)


def write_program(archive: bytes, target: Path) -> None:
    """Write the one regular file of a tar archive to `target`, executable; `ValueError` unless it is one."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = [member for member in tar if member.isfile()]
        source = tar.extractfile(files[0]) if len(files) == 1 else None
        if source is None:
            raise ValueError("the archive does not hold exactly one file")
        target.write_bytes(source.read())
    target.chmod(0o755)
