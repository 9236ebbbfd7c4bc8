"""Keys that only their owner reads, and that OPA reads."""

from pathlib import Path

import pytest

from gateway.audit.keys import new_key
from gateway.bundle.keys import generate, public_pem, read_private_key, read_public_key, thumbprint
from tests.support.bundles import Pair


def test_a_private_key_is_its_owner_s_alone(pair: Pair) -> None:
    """0600, and the public half fits."""
    assert pair.private_path.stat().st_mode & 0o777 == 0o600
    public = read_public_key(pair.public_path.read_bytes())
    assert public_pem(public) == public_pem(pair.private.public_key())
    assert thumbprint(public) == thumbprint(pair.private.public_key())
    assert len(thumbprint(public)) == 43


def test_a_key_is_never_written_over(pair: Pair, tmp_path: Path) -> None:
    """Neither half."""
    before = pair.private_path.read_bytes(), pair.public_path.read_bytes()
    for private, public in (
        (pair.private_path, tmp_path / "other.pub.pem"),
        (tmp_path / "other.pem", pair.public_path),
    ):
        with pytest.raises(FileExistsError):
            generate(private, public)
    assert (pair.private_path.read_bytes(), pair.public_path.read_bytes()) == before


def test_other_keys_are_refused() -> None:
    """An Ed25519 key would sign what OPA does not verify."""
    private, public = new_key()
    for pem in (private, b"", b"-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(ValueError, match="not a"):
            read_private_key(pem)
    for pem in (public, b""):
        with pytest.raises(ValueError, match="not a"):
            read_public_key(pem)
