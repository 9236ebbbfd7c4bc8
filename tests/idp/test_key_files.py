"""Private keys in files: nobody else's to read, whole, never overwritten, and the key that their name says."""

import stat
from pathlib import Path

import pytest

from gateway.identity.jwk import jwk_thumbprint
from gateway.idp.errors import KeyMissing
from gateway.idp.key_files import KeyFiles, PrivateKey, key_of, new_private_key, pem_of, public_jwk

PASSPHRASE = "unsafe-passphrase-of-a-test"


def named(key: PrivateKey) -> str:
    """Its thumbprint."""
    return jwk_thumbprint(public_jwk(key))


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_written_and_read(tmp_path: Path, algorithm: str, passphrase: str | None) -> None:
    """0600 in a folder of 0700; with a passphrase the file alone opens nothing."""
    files = KeyFiles(tmp_path / "keys", passphrase)
    key = new_private_key("ES256" if algorithm == "ES256" else "RS256")
    files.write(named(key), key)
    assert named(files.read(named(key))) == named(key)
    (path,) = (tmp_path / "keys").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (b"ENCRYPTED" in path.read_bytes()) is (passphrase is not None)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    """Whoever writes second changes nothing."""
    files, first, second = KeyFiles(tmp_path), new_private_key("ES256"), new_private_key("ES256")
    files.write(named(first), first)
    files.write(named(first), second)
    assert named(files.read(named(first))) == named(first)
    assert [path.name for path in tmp_path.iterdir()] == [f"{named(first)}.pem"]


def test_the_wrong_passphrase_opens_nothing(tmp_path: Path) -> None:
    """Nor does none, or one too many; and no message says what it was."""
    key = new_private_key("ES256")
    KeyFiles(tmp_path, PASSPHRASE).write(named(key), key)
    for wrong in ("another-unsafe-passphrase", None):
        with pytest.raises(KeyMissing) as refused:
            KeyFiles(tmp_path, wrong).read(named(key))
        assert "passphrase" in refused.value.message
        assert str(wrong) not in refused.value.message


def test_a_file_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    """Whoever could read it could sign."""
    files, key = KeyFiles(tmp_path), new_private_key("ES256")
    files.write(named(key), key)
    (tmp_path / f"{named(key)}.pem").chmod(0o640)
    with pytest.raises(KeyMissing, match="chmod"):
        files.read(named(key))


def test_another_key_under_this_name_is_not_used(tmp_path: Path) -> None:
    """Key substitution by whoever can write the folder."""
    files, key, another = KeyFiles(tmp_path), new_private_key("ES256"), new_private_key("ES256")
    files.write(named(key), another)
    with pytest.raises(KeyMissing, match="another key"):
        files.read(named(key))


@pytest.mark.parametrize("kid", ["../../etc/passwd", "", "a" * 44, "a" * 42 + "/", "a" * 42 + "\n"])
def test_a_name_is_no_path(tmp_path: Path, kid: str) -> None:
    """Nothing is opened."""
    with pytest.raises(KeyMissing):
        KeyFiles(tmp_path).read(kid)


def test_a_forgotten_key_is_gone(tmp_path: Path) -> None:
    """Forgetting twice is forgetting once."""
    files, key = KeyFiles(tmp_path), new_private_key("ES256")
    files.write(named(key), key)
    files.forget(named(key))
    files.forget(named(key))
    assert list(tmp_path.iterdir()) == []


def test_other_kinds_of_keys_are_none() -> None:
    """Only what signs tokens."""
    key = new_private_key("ES256")
    assert named(key_of(pem_of(key, None), None)) == named(key)
    for bad in (b"", b"no key", pem_of(key, b"a-passphrase-of-a-test")):
        with pytest.raises(ValueError, match="not a private key"):
            key_of(bad, None)
