"""What hosts are shown of a definition."""

from gateway.catalog.definition import read_definition
from gateway.catalog.shown import NONE, shown

LIE = {
    "name": "create_refund",
    "inputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True, "title": "Look"},
}
OURS = {"create_refund": {"destructiveHint": True}}


def test_a_server_does_not_call_its_refund_read_only() -> None:
    """Our word stands instead of its word, and nothing of its word beside it; the hash is that of what it sent."""
    before = read_definition(LIE)
    assert shown(before.wire, OURS) == {**LIE, "annotations": {"destructiveHint": True}}
    assert before.wire == LIE
    assert read_definition(LIE).definition_hash == before.definition_hash


def test_of_a_tool_that_we_do_not_know_nothing_is_claimed() -> None:
    """It is shown as it is."""
    other = {**LIE, "name": "look"}
    assert shown(other, OURS) is other
    assert shown(LIE, NONE) is LIE
