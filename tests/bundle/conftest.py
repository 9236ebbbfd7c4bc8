"""A signed small bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bundle.building import Built
from tests.support.bundles import Pair, a_pair, small_bundle
from tests.support.opa_program import Opa


@pytest.fixture
def opa(opa_binary: Path) -> Opa:
    """The real program."""
    return Opa(opa_binary)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """The key of this test."""
    return a_pair(tmp_path / "keys")


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """The small policy, not signed yet."""
    return small_bundle(tmp_path / "small")
