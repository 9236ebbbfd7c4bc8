"""May this person? Asks the policy's admin entrypoint; whatever is not a clear yes is no (invariant 1)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

import msgspec

from gateway.console.person import Person
from gateway.errors import PolicyUnavailable
from gateway.outcome.pending import Pending
from gateway.outcome.people import same_name
from gateway.policy.decision import Outcome, Reason
from gateway.policy.engine import Entrypoint
from gateway.policy.question import Environment


class Action(StrEnum):
    """What a person wants, as the admin policy spells it."""

    READ = "read"
    CONFIRM = "confirm"
    REFUSE = "refuse"
    APPROVE_TOOL = "approve_tool"
    REVOKE_TOOL = "revoke_tool"
    REQUEST_TOOL = "request_tool"
    KILL_LIST = "kill_list"
    KILL_ADD = "kill_add"
    KILL_LIFT = "kill_lift"
    SETTLE = "settle_transaction"


class AdminPolicy(Protocol):
    """The part of the policy room that the console needs; :class:`gateway.policy.policy.Policy` is one."""

    def environment(self) -> Environment:
        """Where and when a question is asked."""
        ...

    async def ask(self, entrypoint: Entrypoint, document: dict[str, Any]) -> Any:
        """The answer as a plain document. :raises PolicyUnavailable: no usable answer."""
        ...


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """Yes, or no with everything that speaks against it."""

    allowed: bool
    reasons: tuple[Reason, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """For the audit."""
        return tuple(reason.code for reason in self.reasons)


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    outcome: Literal["allow", "deny"]
    reasons: Annotated[tuple[Reason, ...], msgspec.Meta(min_length=1, max_length=64)]


class Permissions:
    """Asks. Never raises for want of an answer: that is a no."""

    def __init__(self, policy: AdminPolicy) -> None:
        self._policy = policy

    async def may_enter(self, person: Person) -> Permission:
        """May they see the console at all, whatever waits?"""
        return await self._ask(Action.READ, person, {})

    async def may(self, person: Person, action: Action, pending: Pending) -> Permission:
        """May they do that to this waiting call?"""
        if action is Action.CONFIRM and (facts := _against_confirming(person, pending)):
            return Permission(allowed=False, reasons=facts)
        return await self._ask(action, person, _target(pending))

    async def may_about_tool(
        self, person: Person, action: Action, *, server: str, tool: str, data_class: int | None
    ) -> Permission:
        """May they do that about this tool?"""
        return await self._ask(action, person, {"server": server, "tool": tool, "data_class": data_class})

    async def may_settle(self, person: Person, target: dict[str, Any], *, caller: str) -> Permission:
        """May they say what became of that caller's call? The policy's own rule compares spellings."""
        if same_name(person.subject, caller):
            return _no(
                "admin.own_transaction",
                "Nobody settles a transaction that was made in their own name.",
                "Ask somebody else with the role to look at the target.",
            )
        return await self._ask(Action.SETTLE, person, target)

    async def may_do(self, person: Person, action: Action, target: dict[str, Any]) -> Permission:
        """May they do that to what ``target`` names?"""
        return await self._ask(action, person, target)

    async def _ask(self, action: Action, person: Person, target: dict[str, Any]) -> Permission:
        document = {
            "action": action.value,
            "person": msgspec.to_builtins(person),
            "target": target,
            "env": msgspec.to_builtins(self._policy.environment()),
        }
        try:
            answer = msgspec.convert(await self._policy.ask(Entrypoint.ADMIN, document), _Answer)
        except PolicyUnavailable as problem:
            return _no(
                problem.code, "The policy engine gave no answer, so the answer is no.", "Try again later."
            )
        except msgspec.DecodeError:
            return _no(
                "policy.malformed_answer",
                "The policy answered in a form that this gateway does not understand.",
                "Ask the operator to run `countersign check`.",
            )
        # The combining rule is checked, not believed: no yes beside a reason that says no.
        yes = answer.outcome == "allow" and all(one.outcome is Outcome.ALLOW for one in answer.reasons)
        against = tuple(one for one in answer.reasons if one.outcome is not Outcome.ALLOW)
        return Permission(allowed=yes, reasons=answer.reasons if yes else against or answer.reasons)


def _against_confirming(person: Person, pending: Pending) -> tuple[Reason, ...]:
    """Signatures that could never count are not taken, so that nobody believes they have decided something.

    The policy's own rule compares issuers as well; a person who came by a link has an issuer that no caller has.
    """
    found = []
    if "human" not in pending.obligation.by:
        found.append(
            _reason(
                "console.not_by_people",
                "This call waits for another kind of confirmation; a person's does not count.",
                "You can still refuse it.",
            )
        )
    if pending.obligation.separation_of_duties and same_name(person.subject, pending.caller_subject):
        found.append(
            _reason(
                "admin.self_confirmation",
                "Nobody confirms a call that was made in their own name.",
                "Ask somebody else with the role to look at the call.",
            )
        )
    return tuple(found)


def _target(pending: Pending) -> dict[str, Any]:
    return {
        "caller": {"issuer": pending.caller_issuer, "subject": pending.caller_subject},
        "tool": pending.binding.tool,
        "server": pending.binding.server,
        "data_class": pending.data_class,
        "obligations": msgspec.to_builtins(pending.obligation),
    }


def _no(code: str, message: str, remedy: str) -> Permission:
    return Permission(allowed=False, reasons=(_reason(code, message, remedy),))


def _reason(code: str, message: str, remedy: str) -> Reason:
    return Reason(code=code, outcome=Outcome.DENY, message=message, remedy=remedy)
