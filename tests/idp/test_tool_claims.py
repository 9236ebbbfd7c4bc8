"""What a token shall say of a tool."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.idp.errors import OAuthRefused
from gateway.idp.provider import About, Provider, Status
from gateway.idp.tool_claims import ToolClaims, requested_tool

ACME = Provider(
    id="acme",
    about=About(name="Acme"),
    client_id="etdi-1",
    secret_sha256="0" * 64,
    status=Status.APPROVED,
    registered_at=0,
    tools=("acme.*", "lent.tool"),
)
PLAIN = {"tool_id": "acme.read", "tool_version": "1.0.0", "tool_provider": "acme"}
HASH = "d" * 64


def refusal(form: dict[str, str]) -> str:
    """The code."""
    with pytest.raises(OAuthRefused) as refused:
        requested_tool(form, ACME)
    return refused.value.code


def test_one_json_field_or_plain_fields() -> None:
    """R101; both, if they agree; the provider is the one that asks."""
    wanted = ToolClaims(tool_id="acme.read", tool_version="1.0.0", tool_provider="acme")
    for form in (
        PLAIN,
        {"tool_claims": json.dumps(PLAIN)},
        {**PLAIN, "tool_claims": json.dumps(PLAIN)},
        {"tool_id": "acme.read", "tool_claims": json.dumps({"tool_version": "1.0.0"})},
    ):
        assert requested_tool(form, ACME) == wanted
    assert requested_tool({}, ACME) is None
    bound = requested_tool({**PLAIN, "definition_hash": HASH}, ACME)
    assert bound is not None
    assert bound.definition_hash == HASH


@pytest.mark.parametrize("name", [*PLAIN, "definition_hash"])
def test_two_spellings_that_differ_are_none(name: str) -> None:
    """C27: which one counts would be a guess."""
    form = {**PLAIN, "definition_hash": HASH}
    other = {**form, name: "e" * 64 if name == "definition_hash" else "other"}
    assert refusal({**form, "tool_claims": json.dumps(other)}) == "idp.invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"tool_provider": "rogue"},
        {"tool_id": "rogue.read"},
        {"tool_id": "acme"},
        {"tool_id": "lent.tool2"},
        {"tool_provider": "ACME"},
    ],
)
def test_a_tool_of_somebody_else_is_refused(changed: dict[str, str]) -> None:
    """R117: whoever has credentials of their own."""
    assert refusal({**PLAIN, **changed}) == "idp.foreign_tool"


@pytest.mark.parametrize(
    "form",
    [
        {"tool_id": "acme.read"},
        {"tool_version": "1.0.0"},
        {"tool_provider": "acme"},
        {"definition_hash": HASH},
        {**PLAIN, "tool_version": "1 0"},
        {**PLAIN, "tool_version": "v" * 65},
        {**PLAIN, "tool_id": "acme.re\u200bad"},
        {**PLAIN, "definition_hash": HASH.upper()},
        {**PLAIN, "definition_hash": "d" * 63},
        {"tool_claims": "no json"},
        {"tool_claims": "[]"},
        {"tool_claims": '{"tool_id":"acme.read","tool_id":"acme.write","tool_version":"1"}'},
        {"tool_claims": '{"tool_id":"acme.read","tool_version":1}'},
        {"tool_claims": '{"tool_id":"acme.read","tool_version":"1","admin":"yes"}'},
        {"tool_claims": '{"tool_id":"acme.read","tool_version":"1","iss":"x"}'},
        {"tool_claims": '{"tool_id":"\\ud800","tool_version":"1"}'},
        {"tool_claims": "\ud800"},
    ],
)
def test_half_a_tool_is_none(form: dict[str, str]) -> None:
    """Nor is one with more members than a tool has."""
    assert refusal(form) == "idp.invalid_request"


@given(st.dictionaries(st.sampled_from([*PLAIN, "definition_hash", "tool_claims"]), st.text(max_size=40)))
def test_whatever_is_asked_for_it_is_this_providers_tool_or_nothing(form: dict[str, Any]) -> None:
    """Never an error of another kind."""
    try:
        found = requested_tool(form, ACME)
    except OAuthRefused:
        return
    assert found is None or (found.tool_provider == "acme" and ACME.provides(found.tool_id))
