"""One tool call against PayPal, start to end: check, send once, say what happened."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from gateway.upstream.paypal import outcome
from gateway.upstream.paypal.api import NoReply, NotSent, PayPalApi
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.lookups import LOOKUPS
from gateway.upstream.paypal.operation import Problem, ToolDefinition
from gateway.upstream.paypal.problem import PayPalProblem
from gateway.upstream.paypal.request import UnsafePath, build_request
from gateway.upstream.paypal.validation import ArgumentChecker

_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{1,38}", re.ASCII)
"""38 characters: what PayPal accepts on every endpoint (paypal.md section 8 point 6)."""


def new_request_id() -> str:
    """An idempotency key for a call that came without a transaction id."""
    return str(uuid.uuid4())


class ToolCaller:
    """Carries out calls of the 28 tools. Validators are compiled when it is built."""

    def __init__(self, api: PayPalApi, *, new_id: Callable[[], str] = new_request_id) -> None:
        self._api = api
        self._new_id = new_id
        self._checkers = {name: ArgumentChecker(tool) for name, tool in {**TOOLS, **LOOKUPS}.items()}

    async def call(
        self, tool: ToolDefinition, arguments: Mapping[str, Any], transaction_id: object
    ) -> dict[str, Any]:
        """The MCP tool result. What PayPal or the network does is in the result and never raised.

        ``transaction_id`` is the gateway's (or None): the idempotency key. With the same one, the same
        operation has one effect where PayPal declares idempotency.
        """
        problems = self._checkers[tool.name].problems(arguments)
        if transaction_id is None:
            request_id = self._new_id()
        elif isinstance(transaction_id, str) and _REQUEST_ID.fullmatch(transaction_id):
            request_id = transaction_id
        else:
            request_id = ""
            problems.append(
                Problem("/_meta", "transaction", "the transaction id is not usable as a request id")
            )
        if problems:
            return outcome.invalid_arguments(tool, problems)
        try:
            request = build_request(tool, arguments, request_id)
        except UnsafePath as error:
            return outcome.invalid_arguments(tool, [Problem("", "path", str(error))])
        facts: dict[str, Any] = {"request_id": request.request_id}
        try:
            reply = await self._api.send(request)
        except NotSent as error:
            return outcome.refused(tool, PayPalProblem(name=error.name, message=error.message), facts)
        except NoReply as error:
            problem = PayPalProblem(name="NO_REPLY", message=error.message)
            say = outcome.unknown if tool.operation.effect == "write" else outcome.refused
            return say(tool, problem, facts)
        return outcome.executed_or_refused(tool, arguments, reply, request.request_id)
