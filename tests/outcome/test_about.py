"""What every answer says of how it came to be."""

import msgspec

from gateway.outcome.about import about
from gateway.policy.decision import Allow, denied
from tests.support.walking import AGENT, an_asked


def test_it_names_call_tool_class_and_reasons() -> None:
    """From the call and the decision, nothing of its own."""
    asked = an_asked()
    decision = Allow(reasons=denied("a.b", "m", "r").reasons, data_class=4, tier="internal")
    said = about(asked, decision, transaction_id="t1", has_output_schema=True)
    assert (said.call_id, said.tool) == (asked.call.call_id, asked.call.tool)
    assert (said.data_class, said.tier, said.transaction_id) == (4, "internal", "t1")
    assert said.reasons == decision.reasons
    assert said.error_result_only


def test_it_holds_no_secret() -> None:
    """Neither the caller's token nor the one that it presents."""
    asked = an_asked()
    asked = msgspec.structs.replace(asked, call=msgspec.structs.replace(asked.call, token="f" * 64))
    text = msgspec.json.encode(about(asked, denied("a.b", "m", "r"), transaction_id=None)).decode()
    assert AGENT not in text
    assert "f" * 64 not in text
