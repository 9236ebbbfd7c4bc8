"""What this door says about itself."""

import pytest
from mcp_types import DiscoverResult, Implementation, InitializeResult

from gateway.door.protocol import (
    LEGACY,
    LEGACY_DEFAULT,
    META_SERVER,
    MODERN,
    SUPPORTED,
    TASKS_EXTENSION,
    agreed_version,
    capabilities_of,
    discover_result,
    initialize_result,
    instructions_of,
    server_info,
)


def test_the_answer_to_discover_is_what_the_types_of_mcp_expect() -> None:
    """All versions, newest first, and the stamp of the server."""
    answer = discover_result("1.2.3", {"tools": {}}, None)
    read = DiscoverResult.model_validate(answer)
    assert tuple(read.supported_versions) == SUPPORTED
    assert answer["resultType"] == "complete"
    assert answer["ttlMs"] > 0
    assert answer["cacheScope"] == "public"
    assert Implementation.model_validate(answer["_meta"][META_SERVER]).version == "1.2.3"


@pytest.mark.parametrize("version", LEGACY)
def test_initialize_agrees_to_every_legacy_version(version: str) -> None:
    """The host's own choice where we speak it."""
    read = InitializeResult.model_validate(initialize_result(agreed_version(version), "1", {}, None))
    assert read.protocol_version == version
    assert read.capabilities.tools is not None


@pytest.mark.parametrize("version", ["1999-01-01", *MODERN, None, 7, {}, ["2025-11-25"], ""])
def test_initialize_offers_the_newest_legacy_version_for_anything_else(version: object) -> None:
    """A handshake of the old era never ends in the new one, and never fails over what was asked."""
    assert agreed_version(version) == LEGACY[0]


def test_the_versions_are_dates_in_order_and_the_default_is_one_of_them() -> None:
    """Newest first."""
    assert list(SUPPORTED) == sorted(SUPPORTED, reverse=True)
    assert LEGACY_DEFAULT in LEGACY


def test_the_server_has_a_name_and_a_version() -> None:
    """For both eras."""
    assert Implementation.model_validate(server_info("9")).name == "countersign"


def test_what_a_server_can_do_is_shown_as_it_said_it_less_what_is_not_carried() -> None:
    """Tasks of either era; unknown capabilities and extensions stay."""
    declared = {
        "resources": {"subscribe": True},
        "tasks": {"list": {}},
        "extensions": {TASKS_EXTENSION: {}, "com.example/x": {"y": 1}},
    }
    assert capabilities_of(declared) == {
        "tools": {},
        "resources": {"subscribe": True},
        "extensions": {"com.example/x": {"y": 1}},
    }


def test_a_servers_own_words_come_after_ours_and_are_named_as_its_own() -> None:
    """And are cut."""
    said = instructions_of("Use me. " + "x" * 100_000)
    assert said.startswith(instructions_of(None))
    assert "The server itself says: Use me." in said
    assert len(said) < 10_000
