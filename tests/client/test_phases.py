"""What a result asks of the caller."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.client.phases import DECISION, DONE, Phase, Repeat, Wait, phase_of, shown, shown_url
from tests.client.test_message import JSON


def read(**members: Any) -> Phase:
    """The phase of a result."""
    return phase_of(msgspec.Raw(msgspec.json.encode(members)))


def says(status: str, **more: Any) -> dict[str, Any]:
    """The gateway's ``_meta``."""
    return {DECISION: {"status": status, "expires_in_s": 30, **more}}


def test_the_first_phase_is_repeated() -> None:
    """In both dialects; with the state where there is one."""
    assert read(_meta=says("handshake_required")) == Repeat(within_s=30)
    modern = {"resultType": "input_required", "requestState": "s", "_meta": says("handshake_required")}
    assert read(**modern) == Repeat(within_s=30, state="s")


def test_a_confirmation_is_waited_for() -> None:
    """At the page that the gateway names."""
    meta = says("confirmation_required", approve_url="https://g.example/p", tool="pay")
    assert read(_meta=meta) == Wait(approve_url="https://g.example/p", tool="pay")


def test_questions_to_the_hosts_user_are_left_to_the_host() -> None:
    """It declared that it can ask; the bridge does not answer for a person."""
    assert (
        read(
            resultType="input_required",
            requestState="s",
            inputRequests={"k": {}},
            _meta=says("confirmation_required"),
        )
        is DONE
    )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"content": [{"type": "text", "text": "handshake_required"}]},
        {"structuredContent": {"status": "handshake_required"}},
        {"resultType": "input_required", "requestState": "of-an-upstream"},
        {"_meta": says("refused")},
        {"_meta": {DECISION: "handshake_required"}},
        {"resultType": "input_required", "_meta": says("handshake_required")},
    ],
)
def test_only_the_gateways_own_word_counts(members: dict[str, Any]) -> None:
    """Text of an upstream that reads like it does not make a call be repeated."""
    assert read(**members) is DONE


@given(JSON)
def test_anything_else_is_the_hosts(value: Any) -> None:
    """No result breaks the reading."""
    assert phase_of(msgspec.Raw(msgspec.json.encode(value))) is DONE


@pytest.mark.parametrize(
    "url", ["javascript:x", "https://a b", "http://x/\x1b[2J", "file:///etc", "", 7, None]
)
def test_an_address_that_is_no_page_is_not_shown(url: object) -> None:
    """Nor one that moves the cursor."""
    assert shown_url(url) is None


@given(st.text())
def test_text_from_elsewhere_cannot_write_on_a_terminal(text: str) -> None:
    """Only printable characters are left."""
    assert shown(text, 40).isprintable()
