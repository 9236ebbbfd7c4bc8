"""Bundles are handed out with a key that verifies them, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bundle.opened import served_bundles
from gateway.errors import SettingsError
from gateway.settings.bundles import BundleSettings, bundle_problems
from gateway.settings.kinds import Hidden
from tests.support.bundles import a_pair


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (BundleSettings(folder="dist"), "verification_key"),
        (BundleSettings(verification_key="key.pem"), "verification_key"),
        (BundleSettings(token=Hidden("short")), "token"),
        (BundleSettings(token=Hidden("with a space in the middle")), "token"),
    ],
)
def test_what_cannot_be_meant(settings: BundleSettings, said: str) -> None:
    """Named by its key, and never with the secret."""
    (problem,) = bundle_problems(settings)
    assert problem.startswith(f"bundles.{said}:")
    assert settings.token is None or settings.token not in problem


def test_what_shows_at_the_start(tmp_path: Path) -> None:
    """No folder, no key, another kind of key; and without a folder there is no route."""
    pair = a_pair(tmp_path)
    other = tmp_path / "other.pem"
    other.write_text("no key")
    assert served_bundles(BundleSettings()) == []
    assert served_bundles(BundleSettings(folder=str(tmp_path), verification_key=str(pair.public_path)))
    for folder, key in (
        (tmp_path / "none", pair.public_path),
        (tmp_path, tmp_path / "none"),
        (tmp_path, other),
    ):
        with pytest.raises(SettingsError, match="bundles"):
            served_bundles(BundleSettings(folder=str(folder), verification_key=str(key)))
