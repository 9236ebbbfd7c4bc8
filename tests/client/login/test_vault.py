"""Where secrets are kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import pytest
from keyring.backend import KeyringBackend

from gateway.client.errors import VaultError
from gateway.client.login.vault import FileVault, KeyringVault, Vault, trusted

NAME = "https://g.example/mcp"


class InMemory(KeyringBackend):
    """A keyring as the library's backends are; stands for the operating system's."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """The kept text."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep it."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget it."""
        del self.kept[service, username]


@pytest.fixture(params=["file", "keyring"])
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Vault:
    """Either kind."""
    files = FileVault(tmp_path / "state")
    return files if request.param == "file" else KeyringVault(InMemory(), files)


async def test_what_is_kept_is_found_replaced_and_forgotten(vault: Vault) -> None:
    """Under its own name only."""
    assert await vault.get(NAME) is None
    await vault.put(NAME, b"one")
    await vault.put(NAME, b"two")
    assert await vault.get(NAME) == b"two"
    assert await vault.get("another") is None
    await vault.delete(NAME)
    await vault.delete(NAME)
    assert await vault.get(NAME) is None


async def test_one_at_a_time_is_inside(vault: Vault) -> None:
    """However many want to."""
    inside: list[int] = []

    async def enter(number: int) -> None:
        async with vault.locked(NAME):
            inside.append(number)
            assert len(inside) == 1
            await asyncio.sleep(0)
            inside.remove(number)

    await asyncio.gather(*(enter(number) for number in range(10)))


async def test_a_file_is_this_users_alone(tmp_path: Path) -> None:
    """Folder and file; and one that others may read is not used, as its content may be theirs."""
    vault = FileVault(tmp_path / "state")
    await vault.put(NAME, b"secret")
    (path,) = (tmp_path / "state").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    with pytest.raises(VaultError, match="read by others"):
        await vault.get(NAME)


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Attack: somebody who can write into the folder has us read, or present, another file."""
    vault = FileVault(tmp_path / "state")
    await vault.put(NAME, b"secret")
    (path,) = (tmp_path / "state").iterdir()
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    with pytest.raises(VaultError):
        await vault.get(NAME)


@pytest.mark.parametrize(
    "backend",
    [
        keyring.backends.fail.Keyring(),
        keyring.backends.null.Keyring(),
        InMemory(),
        keyring.backends.chainer.ChainerBackend(),
    ],
)
def test_only_keyrings_of_operating_systems_are_trusted(backend: KeyringBackend) -> None:
    """One that fails, one that forgets, one that nobody knows; and a chain with nothing in it."""
    assert trusted(backend) is None


async def test_a_keyring_that_breaks_is_an_error_of_ours() -> None:
    """Whatever it raises; the message holds nothing of it."""

    class Broken(InMemory):
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            """It is locked."""
            raise RuntimeError("the secret is hunter2")

    with pytest.raises(VaultError, match="RuntimeError") as caught:
        await KeyringVault(Broken(), FileVault(Path("unused"))).get(NAME)
    assert "hunter2" not in str(caught.value)
