"""Only what is signed and loads is handed out; a bad file never replaces a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bundle.archive import packed
from gateway.bundle.building import Built
from gateway.bundle.shelf import BundleShelf
from tests.bundle.test_proving import ALLOWS
from tests.support.bundles import Pair, a_pair, signed_archive, small_bundle


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where bundles are put."""
    made = tmp_path / "dist"
    made.mkdir()
    return made


@pytest.fixture
def shelf(folder: Path, pair: Pair) -> BundleShelf:
    """Over that folder, for the scope ``here``."""
    return BundleShelf(folder, pair.private.public_key(), scope="here")


async def test_a_new_file_is_taken_up_and_a_bad_one_is_not(
    shelf: BundleShelf, folder: Path, pair: Pair, built: Built, tmp_path: Path
) -> None:
    """Unsigned, of a stranger, for another scope, cut off, or signed and saying yes to everything."""
    path = folder / "small.tar.gz"
    assert await shelf.current("small") is None
    path.write_bytes(packed(built.files))
    assert await shelf.current("small") is None
    path.write_bytes(signed_archive(built.files, pair, scope="here"))
    first = await shelf.current("small")
    assert first is not None
    assert first.revision == built.revision
    assert await shelf.current("small") is first

    yes = small_bundle(tmp_path / "yes", sequence=2, changes={"gateway/decision/decision.rego": ALLOWS})
    for bad in (
        packed(built.files),
        signed_archive(built.files, a_pair(tmp_path, "stranger"), scope="here"),
        signed_archive(built.files, pair, scope="there"),
        first.content[:-100],
        signed_archive(yes.files, pair, scope="here"),
    ):
        path.write_bytes(bad)
        assert await shelf.current("small") is first

    newer = small_bundle(tmp_path / "newer", sequence=2)
    path.write_bytes(signed_archive(newer.files, pair, scope="here"))
    second = await shelf.current("small")
    assert second is not None
    assert second.revision == newer.revision
    assert second.etag != first.etag
    path.unlink()
    assert await shelf.current("small") is None


@pytest.mark.parametrize("name", ["../keys/bundle", "", ".", "a/b", "A", "small\0", "x" * 65])
async def test_names_that_are_no_names(shelf: BundleShelf, name: str) -> None:
    """Nothing outside the folder is ever looked at."""
    assert await shelf.current(name) is None
