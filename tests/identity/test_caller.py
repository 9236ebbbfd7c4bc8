"""Callers as values."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.caller import Caller

NAMES = st.text(alphabet=st.sampled_from('ab|",[]\\ é'), max_size=6)


@given(NAMES, NAMES, NAMES, NAMES)
def test_two_callers_share_a_principal_only_if_they_are_one(a: str, b: str, c: str, d: str) -> None:
    """No choice of separators in issuer or subject makes two callers look like one."""
    first, second = Caller(issuer=a, subject=b), Caller(issuer=c, subject=d)
    assert (first.principal == second.principal) == ((a, b) == (c, d))


def test_the_principal_does_not_depend_on_what_a_token_grants() -> None:
    """A renewed token with other scopes is the same principal: bindings survive a refresh."""
    before = Caller(issuer="https://i.example", subject="u", scopes=("a",), client_id="c1")
    after = Caller(issuer="https://i.example", subject="u", scopes=("b",), client_id="c2")
    assert before.principal == after.principal == '["https://i.example","u"]'


def test_a_caller_cannot_be_changed() -> None:
    """A later room cannot add a role."""
    caller = Caller(issuer="https://i.example", subject="u")
    with pytest.raises(AttributeError):
        caller.roles = ("admin",)  # type: ignore[misc]  # the point of the test


def test_a_caller_reads_in_the_question_as_the_policy_expects() -> None:
    """The JSON shape is the contract with Rego: every member is there, also the empty ones."""
    document = msgspec.json.decode(msgspec.json.encode(Caller(issuer="https://i.example", subject="u")))
    assert document == {
        "issuer": "https://i.example",
        "subject": "u",
        "client_id": None,
        "scopes": [],
        "roles": [],
        "key_thumbprint": None,
        "proof": {"present": False, "valid": False},
    }
