"""Asks for the confirmation inside the open call, where a host of the older era declared that it can be asked.

The host's answer is never the decision. An accepted form becomes what a host of 2026-07-28 sends by itself: the same
call with a fresh single-use token and the answer, which is judged anew from identity on: token burnt first and
compared afterwards, definition, amount, policy. An accepted link proves nothing but that somebody will look; the call
is judged anew when the page's people have signed. Anything else is *not confirmed*, and never a person's no: some hosts
decline unseen. The call then waits where it waited before, and its answer says where.

Nobody can be asked longer than ``ask_s``, nor longer than the token lives that stands for the question. An answer that
comes later answers nothing that is open (``door/session.py``).
"""

from __future__ import annotations

import asyncio
import uuid
from typing import Any, Literal, Protocol

import msgspec

from gateway.door.call import Era, ToolCall
from gateway.door.host import Host, HostCannot
from gateway.outcome.answer import Again
from gateway.outcome.consent import binding_of
from gateway.outcome.elicitation import ELICITATION_KEY, fits_a_form, form, link
from gateway.outcome.pending import Pending, Status, Waiting
from gateway.outcome.people import seem_enough
from gateway.policy.decision import Confirm
from gateway.policy.question import Asked

URL_SINCE = "2025-11-25"
"""The version that brought the URL mode (2025-11-25/client/elicitation)."""
Said = Literal["accepted", "not_approved", "declined", "cancelled", "timed_out", "unanswered"]
_ACTIONS: dict[object, Said] = {"decline": "declined", "cancel": "cancelled"}
_RESULT = msgspec.json.Decoder(dict[str, Any])


class HostAudit(Protocol):
    """Where it is recorded that a host was asked, and what it said."""

    async def host_said(self, *, asked: Asked, transaction_id: str, said: Said) -> None:
        """Return when the record is written. :raises AuditUnavailable: then the answer does not count."""
        ...


class InBand:
    """Asks hosts of the older era. Errors: ``StoreUnavailable``, ``AuditUnavailable``."""

    def __init__(self, waiting: Waiting, audit: HostAudit, *, ask_s: float) -> None:
        self._waiting = waiting
        self._audit = audit
        self._ask_s = ask_s

    async def repeated(self, asked: Asked, decision: Confirm, answer: Again, host: Host) -> ToolCall | None:
        """The call as the host would now repeat it, to be judged anew; None where the answer stands as it is."""
        if answer.view is None or answer.elicit is None or not _can_be_asked(asked, host):
            return None
        if answer.elicit == "form" and fits_a_form(answer.view):
            return await self._by_form(asked, decision, answer, host)
        if answer.elicit == "url" and asked.call.protocol >= URL_SINCE:
            return await self._by_link(asked, answer, host)
        return None

    async def _by_form(self, asked: Asked, decision: Confirm, answer: Again, host: Host) -> ToolCall | None:
        assert answer.view is not None
        transaction_id = answer.about.transaction_id or asked.call.call_id
        token, life = await self._waiting.grant(
            binding_of(asked),
            transaction_id=transaction_id,
            revision=decision.revision,
            ttl_s=max(1, int(self._ask_s) + 1),
            view_hash=answer.view.view_hash,
        )
        within_s = min(self._ask_s, life)
        params = form(answer.view, expires_in_s=min(answer.expires_in_s, int(within_s)))
        said, response = await _ask(host, {**params, **_ours(answer)}, within_s)
        if said == "accepted" and _approve(response) is not True:
            said = "not_approved"
        await self._audit.host_said(asked=asked, transaction_id=transaction_id, said=said)
        if said != "accepted":
            await self._waiting.present(token)  # burnt: nothing is left that could be answered
            return None
        return msgspec.structs.replace(asked.call, token=token, input_responses={ELICITATION_KEY: response})

    async def _by_link(self, asked: Asked, answer: Again, host: Host) -> ToolCall | None:
        assert answer.view is not None
        transaction_id = answer.about.transaction_id or asked.call.call_id
        until = asyncio.get_running_loop().time() + self._ask_s
        elicitation_id = str(uuid.uuid4())
        params = {**link(answer.view, answer.approve_url), "elicitationId": elicitation_id, **_ours(answer)}
        said, _ = await _ask(host, params, self._ask_s)
        await self._audit.host_said(asked=asked, transaction_id=transaction_id, said=said)
        if said != "accepted":
            return None
        if not await self._settled(binding_of(asked).key(), until):
            return None
        complete = {
            "jsonrpc": "2.0",
            "method": "notifications/elicitation/complete",
            "params": {"elicitationId": elicitation_id},
        }
        await host.notify(msgspec.Raw(msgspec.json.encode(complete)))
        return asked.call

    async def _settled(self, key: str, until: float) -> bool:
        """Whether there is something new to judge: enough signatures to ask the policy again, or an end."""
        loop = asyncio.get_running_loop()
        while True:
            pending = await self._waiting.current(key)
            if pending is None or pending.status is not Status.WAITING or _signed(pending):
                return True
            left = until - loop.time()
            if left <= 0:
                return False
            await self._waiting.changes.other_than(key, pending, within_s=left)


def _can_be_asked(asked: Asked, host: Host) -> bool:
    return asked.call.era is Era.LEGACY and host.asks_in_band and "elicitation" in host.capabilities


def _signed(pending: Pending) -> bool:
    """Only when to ask again; whether it is enough the policy says."""
    return seem_enough(pending.confirmations, pending.obligation, pending.view.view_hash)


async def _ask(host: Host, params: dict[str, Any], within_s: float) -> tuple[Said, dict[str, Any]]:
    try:
        async with asyncio.timeout(within_s):
            raw = await host.ask("elicitation/create", msgspec.Raw(msgspec.json.encode(params)))
        response = _RESULT.decode(raw)
    except TimeoutError:
        return "timed_out", {}
    except (HostCannot, ValueError, RecursionError):
        return "unanswered", {}
    action = response.get("action")
    if action == "accept":
        return "accepted", response
    return _ACTIONS.get(action, "unanswered") if isinstance(action, str) else "unanswered", {}


def _approve(response: dict[str, Any]) -> object:
    content = response.get("content")
    return content.get("approve") if isinstance(content, dict) else None


def _ours(answer: Again) -> dict[str, Any]:
    """What tells our question from a server's: every key of ours is taken out of those."""
    assert answer.view is not None
    facts = {"transaction_id": answer.about.transaction_id, "view_hash": answer.view.view_hash}
    return {"_meta": {ELICITATION_KEY: facts}}
