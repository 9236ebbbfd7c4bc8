"""What this door says about itself."""

import pytest
from mcp_types import DiscoverResult, Implementation, InitializeResult

from gateway.door.protocol import (
    LEGACY,
    LEGACY_DEFAULT,
    META_SERVER,
    MODERN,
    SUPPORTED,
    discover_result,
    initialize_result,
    server_info,
)


def test_the_answer_to_discover_is_what_the_types_of_mcp_expect() -> None:
    """All versions, newest first, and the stamp of the server."""
    answer = discover_result("1.2.3")
    read = DiscoverResult.model_validate(answer)
    assert tuple(read.supported_versions) == SUPPORTED
    assert answer["resultType"] == "complete"
    assert answer["ttlMs"] > 0
    assert answer["cacheScope"] == "public"
    assert Implementation.model_validate(answer["_meta"][META_SERVER]).version == "1.2.3"


@pytest.mark.parametrize("version", LEGACY)
def test_initialize_agrees_to_every_legacy_version(version: str) -> None:
    """The host's own choice where we speak it."""
    read = InitializeResult.model_validate(initialize_result(version, "1"))
    assert read.protocol_version == version
    assert read.capabilities.tools is not None


@pytest.mark.parametrize("version", ["1999-01-01", *MODERN, None, 7, {}, ["2025-11-25"], ""])
def test_initialize_offers_the_newest_legacy_version_for_anything_else(version: object) -> None:
    """A handshake of the old era never ends in the new one, and never fails over what was asked."""
    assert initialize_result(version, "1")["protocolVersion"] == LEGACY[0]


def test_the_versions_are_dates_in_order_and_the_default_is_one_of_them() -> None:
    """Newest first."""
    assert list(SUPPORTED) == sorted(SUPPORTED, reverse=True)
    assert LEGACY_DEFAULT in LEGACY


def test_the_server_has_a_name_and_a_version() -> None:
    """For both eras."""
    assert Implementation.model_validate(server_info("9")).name == "countersign"
