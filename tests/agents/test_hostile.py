"""Whatever comes back: a clear answer to this very question, or none. Nothing else is raised, nothing is guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agents.case import case_of
from gateway.agents.chat import ChatAgent
from gateway.agents.exchange import Received
from gateway.agents.said import Agent, NoAnswer
from gateway.agents.signature import key_of, signed
from gateway.agents.webhook import WebhookAgent
from tests.support.second_agents import SECRET
from tests.support.waiting import NOW, a_pending
from tests.support.walking import MONEY

CASE = case_of(a_pending(), {"bill": "b1"}, MONEY)
KEY = key_of(SECRET)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Answers:
    """An exchange whose answers the test makes."""

    def __init__(self, answering: Callable[[bytes, Mapping[str, str]], Received]) -> None:
        self._answering = answering

    async def post(self, body: bytes, headers: Mapping[str, str]) -> Received:
        """See ``Posts.post``."""
        return self._answering(body, headers)

    async def aclose(self) -> None:
        """See ``Posts.aclose``."""


async def says_nothing(agent: Agent) -> None:
    """No answer, and no other error."""
    with pytest.raises(NoAnswer):
        await agent.ask(CASE)


@given(st.integers(100, 599), st.binary(max_size=300), st.dictionaries(st.text(), st.text(), max_size=4))
async def test_any_bytes(status: int, body: bytes, headers: dict[str, str]) -> None:
    """With any status and any fields."""
    answers = Answers(lambda *_: Received(status=status, headers=headers, body=body))
    await says_nothing(WebhookAgent("guard", answers, KEY, now=lambda: NOW))
    await says_nothing(ChatAgent("judge", answers, model="m", api_key=None))


@given(JSON, st.sampled_from(["id", "nonce", "view_hash", "decision", "at"]))
async def test_a_signed_answer_with_any_value_in_one_place(value: Any, place: str) -> None:
    """The rest of it is perfect."""

    def nearly(body: bytes, headers: Mapping[str, str]) -> Received:
        asked = json.loads(body)["data"]
        said = {name: asked[name] for name in ("id", "nonce", "view_hash")}
        said |= {"decision": "approve", "at": int(NOW), place: value}
        made = json.dumps(said).encode()
        return Received(status=200, headers=signed(KEY, headers["webhook-id"], int(NOW), made), body=made)

    if place == "at" and type(value) in (int, float) and abs(value - NOW) <= 300:
        return
    if place == "decision" and value in ("approve", "refuse"):
        return
    await says_nothing(WebhookAgent("guard", Answers(nearly), KEY, now=lambda: NOW))


@given(JSON | st.text().map(json.dumps))
async def test_a_model_that_says_anything(value: Any) -> None:
    """As its message, and as the whole answer."""
    message = {"role": "assistant", "content": json.dumps(value)}
    whole = {"choices": [{"message": message, "finish_reason": "stop"}]}
    for document in (whole, value, {"choices": value}, {"choices": [value]}):
        body = json.dumps(document).encode()
        answers = Answers(lambda *_, body=body: Received(status=200, headers={}, body=body))
        await says_nothing(ChatAgent("judge", answers, model="m", api_key=None))
