"""The one question, as a document that the schema of the policies accepts."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from gateway.catalog.tool import SchemaVerdict
from gateway.door.call import Client
from gateway.policy.money import Money
from gateway.policy.question import (
    Confirmation,
    ConsentFacts,
    Environment,
    HandshakeFacts,
    call_facts,
    question_of,
)
from tests.support.walking import AGENT, a_call, a_tool, an_asked

SCHEMA = Path(__file__).parents[2] / "policies" / "schemas" / "question.json"
ENV = Environment(paypal="sandbox", now=1_795_224_000)
SIGNED = ConsentFacts(
    handshake=HandshakeFacts(satisfied=True, age_s=3),
    confirmations=(Confirmation(by="human", who="bob", assurance="oidc", at=1, view_hash="c" * 64),),
)


def document_of(asked: Any, consent: ConsentFacts = SIGNED, env: Environment = ENV) -> dict[str, Any]:
    """The question as Rego reads it."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(question_of(asked, consent, env)))
    return document


QUESTIONS = {
    "all there": (an_asked(), SIGNED),
    "nothing countersigned": (an_asked(), ConsentFacts()),
    "not approved": (an_asked(approval=None), SIGNED),
    "moves no money": (an_asked(money=None), SIGNED),
    "amount unknown": (an_asked(money=Money()), SIGNED),
    "does not fit": (an_asked(schema=SchemaVerdict(valid=False, errors=("/a: violates type",))), SIGNED),
    "a bare tool": (an_asked(tool=a_tool(version=None, provider=None, permissions=())), SIGNED),
    "a legacy host": (an_asked(a_call(legacy=True)), SIGNED),
    "a host that can elicit": (
        an_asked(a_call(client=Client(name="x", version="1", can_elicit=("form", "url")))),
        SIGNED,
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_schema_accepts_it(name: str) -> None:
    """The contract with Rego, in both directions of every optional part."""
    validator = jsonschema.Draft7Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    problems = [error.message for error in validator.iter_errors(document_of(*QUESTIONS[name]))]
    assert problems == []


def test_it_says_what_was_asked() -> None:
    """Every part from where it belongs; times whole seconds."""
    asked = an_asked(a_call("pay_bill", {"bill": "b1"}, received_at=1_795_224_000.9))
    document = document_of(asked)
    assert document["call"] == {
        "id": asked.call.call_id,
        "time": 1_795_224_000,
        "server": "bank",
        "method": "tools/call",
        "protocol": "2026-07-28",
        "era": "modern",
        "client": {"name": "desk", "version": "1", "can_elicit": [], "can_input_required": True},
        "proof": {"present": False, "valid": False},
    }
    assert document["arguments"] == {"bill": "b1"}
    assert document["arguments_hash"] == asked.call.arguments_hash
    assert document["money"]["amount"] == "12.00"
    assert document["consent"]["handshake"] == {"satisfied": True, "age_s": 3}
    assert document["env"] == {"paypal": "sandbox", "now": 1_795_224_000, "state": "ok"}
    assert call_facts(asked.call).id == asked.call.call_id


def test_no_secret_reaches_the_engine() -> None:
    """Neither the caller's token, nor the handshake token, nor what the host attached."""
    asked = an_asked(
        a_call(token="f" * 64, meta={"secret": "meta-secret"}, input_responses={"k": "reply-secret"})
    )
    text = json.dumps(document_of(asked))
    for secret in (AGENT, "f" * 64, "meta-secret", "reply-secret"):
        assert secret not in text
