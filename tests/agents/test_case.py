"""What an agent is told."""

import hashlib

import msgspec

from gateway.agents.case import case_of
from gateway.canonical import canonical_hash
from tests.support.waiting import a_binding, a_pending
from tests.support.walking import MONEY


def test_the_arguments_are_the_ones_that_were_hashed() -> None:
    """An agent can compare: they are canonical, byte by byte."""
    arguments = {"b": 1.5, "a": "ü", "c": {"z": None}}
    pending = a_pending(binding=a_binding(arguments_hash=canonical_hash(arguments)))
    case = case_of(pending, arguments, MONEY)
    assert hashlib.sha256(bytes(case.arguments)).hexdigest() == case.arguments_hash
    assert bytes(case.arguments) in msgspec.json.encode(case)


def test_it_is_the_picture_that_people_see() -> None:
    """The same view, the same hash, the policy's reasons; money as numbers besides."""
    pending = a_pending()
    case = case_of(pending, {"bill": "b1"}, MONEY)
    assert (case.view, case.view_hash) == (pending.view, pending.view.view_hash)
    assert case.money == MONEY
    assert (case.caller.issuer, case.caller.subject) == ("https://idp.example", "agent-one")
    assert (case.data_class, case.tier, case.expires_at) == (2, "restricted", int(pending.expires_at))
