"""An agent that is a language model behind an OpenAI-compatible chat endpoint (``POST …/chat/completions``).

Attack: text inside the arguments tells the model to approve. What stands against it is structure, not the model's good
sense: the arguments go as one line of JSON in which no character could close the block it stands in; the fence has a
random name; a yes counts only with a nonce that is in the system message alone, so an answer that was dictated from
inside the arguments lacks it; the answer is parsed strictly; and a yes is one confirmation, whose worth the policy
decides. What remains: a model that is talked into *deciding* yes says it with the nonce. The answer is not signed;
the address is TLS or this machine.
"""

from __future__ import annotations

import hmac
import json
import secrets
from importlib.resources import files
from string import Template
from typing import Annotated, Any, Final, Literal

import msgspec

from gateway.agents.case import Case
from gateway.agents.exchange import Posts, Received
from gateway.agents.said import Decision, Failure, NoAnswer, Said, reason_of
from gateway.door.strict_json import parse
from gateway.errors import MalformedRequest

PROMPT: Final = Template(files("gateway.agents").joinpath("prompt.txt").read_text("utf-8"))
MAX_CONTENT_CHARS: Final = 4096
_OK = 200
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "<>&`$"}
"""Beside quotes, controls and everything outside ASCII, which JSON's own escapes take care of."""


class _Verdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decision: Decision
    view_hash: str
    nonce: str
    reason: str


class _Message(msgspec.Struct, frozen=True):
    role: Literal["assistant"]
    content: Annotated[str, msgspec.Meta(max_length=MAX_CONTENT_CHARS)]
    tool_calls: list[Any] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: Literal["stop"]


class _Completion(msgspec.Struct, frozen=True):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1, max_length=1)]


class ChatAgent:
    """Asks one model. ``api_key`` is sent as a bearer token, to that address and nowhere else."""

    def __init__(self, name: str, exchange: Posts, *, model: str, api_key: str | None) -> None:
        self.name = name
        self._exchange = exchange
        self._model = model
        self._headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}

    async def ask(self, case: Case) -> Said:
        """See :class:`~gateway.agents.said.Agent`."""
        nonce, fence = secrets.token_hex(16), f"call-{secrets.token_hex(8)}"
        messages = [
            {"role": "system", "content": PROMPT.substitute(nonce=nonce, fence=fence)},
            {"role": "user", "content": f"<{fence}>\n{one_line(case)}\n</{fence}>"},
        ]
        body = msgspec.json.encode(
            {
                "model": self._model,
                "messages": messages,
                "response_format": {"type": "json_object"},
                "stream": False,
            }
        )
        verdict = _read(await self._exchange.post(body, self._headers))
        if not hmac.compare_digest(verdict.nonce.encode("utf-8", "replace"), nonce.encode()):
            raise NoAnswer(Failure.ANOTHER_CALL)
        if not hmac.compare_digest(verdict.view_hash.encode("utf-8", "replace"), case.view_hash.encode()):
            raise NoAnswer(Failure.ANOTHER_VIEW)
        # The first agent gets to read the reason; the nonce is spent, but nobody needs to see it either.
        return Said(decision=verdict.decision, reason=reason_of(verdict.reason.replace(nonce, "")))

    async def aclose(self) -> None:
        """See :class:`~gateway.agents.said.Agent`."""
        await self._exchange.aclose()


def one_line(case: Case) -> str:
    """The case as one line of printable ASCII JSON without ``<``, ``>``, ``&``, ```` ` ```` and ``$``: it cannot end
    the block it stands in, start a line of its own, or hide a character."""
    document = json.loads(msgspec.json.encode(case))
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).translate(_ESCAPED)


def _read(received: Received) -> _Verdict:
    """:raises NoAnswer: anything but one finished message that is one JSON object of exactly four members."""
    if received.status != _OK:
        raise NoAnswer(Failure.HTTP_STATUS)
    try:
        completion = msgspec.convert(parse(received.body), _Completion)
        message = completion.choices[0].message
        if message.tool_calls or message.refusal:
            raise NoAnswer(Failure.UNREADABLE)
        return msgspec.convert(parse(message.content.encode("utf-8")), _Verdict)
    except (MalformedRequest, msgspec.ValidationError):
        raise NoAnswer(Failure.UNREADABLE) from None
