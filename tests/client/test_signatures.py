"""The bridge signs the parameters of calls: which, with what, and what the gateway sees of it."""

from __future__ import annotations

import hashlib
import time
from typing import Any

import jwt
import msgspec
import pytest

from gateway.client.keys import ProofKey, hash_of_token
from gateway.client.message import Message, read_message
from gateway.client.phases import Done, Sign, phase_of
from gateway.client.signatures import PROOF_META, TYPE, Signatures
from tests.support.keys import b64url, signing_key

URL = "https://gateway.example/mcp"
KEYS = [signing_key("ES256", "bridge"), signing_key("EdDSA", "bridge")]
BOUND = {"authorization": "DPoP the-token"}
BEARER = {"authorization": "Bearer the-token"}


def call(**params: Any) -> Message:
    """One ``tools/call``."""
    members = {"name": "list_products", "arguments": {"b": 1, "a": "é"}, **params}
    return read_message(
        msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": members})
    )


def meta_of(body: bytes) -> dict[str, Any]:
    """The ``_meta`` that goes out."""
    return dict(msgspec.json.decode(body)["params"].get("_meta", {}))


def signatures(*, registered: bool, key: int = 0) -> Signatures:
    """With one of the keys."""
    return Signatures(ProofKey(KEYS[key].private), URL, time.time, registered=registered)


@pytest.mark.parametrize("key", [0, 1])
def test_a_registered_key_signs_every_call(key: int) -> None:
    """Type, key and claims are those of decision 17; nothing else of the request changes."""
    message = call(_meta={"progressToken": 7})
    body = signatures(registered=True, key=key).body(message, message.body, BEARER)
    meta = meta_of(body)
    header = jwt.get_unverified_header(meta[PROOF_META])
    assert header["typ"] == TYPE
    assert header["jwk"] == {k: v for k, v in KEYS[key].public_jwk().items() if k in ("kty", "crv", "x", "y")}
    claims = jwt.decode(
        meta[PROOF_META],
        KEYS[key].private.public_key(),
        algorithms=[header["alg"]],
        options={"verify_aud": False},
    )
    assert {name: claims[name] for name in ("tool", "htu", "ath", "args")} == {
        "tool": "list_products",
        "htu": URL,
        "ath": hash_of_token("the-token"),
        "args": b64url(hashlib.sha256('{"a":"é","b":1}'.encode()).digest()),
    }
    assert meta["progressToken"] == 7
    sent, came = msgspec.json.decode(body), msgspec.json.decode(message.body)
    sent["params"].pop("_meta")
    came["params"].pop("_meta")
    assert sent == came


def test_each_request_has_a_proof_of_its_own() -> None:
    """A proof counts once."""
    message, ours = call(), signatures(registered=True)
    first, second = (meta_of(ours.body(message, message.body, BEARER))[PROOF_META] for _ in range(2))
    assert first != second


def test_the_key_of_the_token_signs_what_the_gateway_wants_signed() -> None:
    """Not before it is asked for, and not the calls of other tools."""
    message, ours = call(), signatures(registered=False)
    assert ours.body(message, message.body, BOUND) == message.body
    assert ours.wanted(message)
    assert PROOF_META in meta_of(ours.body(message, message.body, BOUND))
    other = call(name="list_invoices")
    assert ours.body(other, other.body, BOUND) == other.body
    assert not ours.wanted(message), "refused although it was signed: once more would be once too many"


def test_a_key_that_the_gateway_cannot_know_signs_nothing() -> None:
    """The token is not bound to it, so that its signature would be refused everywhere."""
    message, ours = call(), signatures(registered=False)
    ours.body(message, message.body, BEARER)
    assert not ours.wanted(message)
    assert ours.body(message, message.body, BEARER) == message.body


def test_a_token_that_is_bound_no_more() -> None:
    """What was learnt with a bound token is not used with another one."""
    message, ours = call(), signatures(registered=False)
    ours.body(message, message.body, BOUND)
    assert ours.wanted(message)
    assert ours.body(message, message.body, BEARER) == message.body


@pytest.mark.parametrize(
    "params",
    [
        {"_meta": {PROOF_META: "the host's own"}},
        {"_meta": "no object"},
        {"arguments": "no object"},
        {"arguments": {"n": 2**60}},
        {"name": 7},
    ],
)
def test_what_is_left_as_it_is(params: dict[str, Any]) -> None:
    """A host's own signature, and whatever the gateway will have to refuse."""
    message = call(**params)
    assert signatures(registered=True).body(message, message.body, BEARER) == message.body


def refused(*codes: str) -> msgspec.Raw:
    """A refusal by these rules."""
    reasons = [{"code": code, "outcome": "deny"} for code in codes]
    reasons.append({"code": "handshake.required", "outcome": "handshake"})
    decision = {"status": "refused", "reasons": reasons}
    return msgspec.Raw(
        msgspec.json.encode({"isError": True, "_meta": {"dev.countersign/decision": decision}})
    )


def test_a_signature_is_told_to_be_missing() -> None:
    """Alone or beside what the next answer asks for; a bad one is not missing."""
    missing = "arguments.signature_missing"
    assert isinstance(phase_of(refused(missing)), Sign)
    assert isinstance(phase_of(refused("identity.scope_missing", missing)), Sign)
    for codes in ((), ("identity.scope_missing",), ("arguments.signature_invalid",)):
        assert isinstance(phase_of(refused(*codes)), Done)
