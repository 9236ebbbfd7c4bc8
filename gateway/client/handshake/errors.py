"""What can become of a call through the handshake, other than its result.

Messages are for the developer and, through the adapters, for the model: safe to show, no token in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.errors import CountersignError


class HandshakeError(CountersignError):
    """The root. ``status``: of HTTP, where there was an answer. ``code``: the gateway's own, where it gave one.

    ``receipt``: the gateway's signed statement of what became of the call, where it gave one (a compact JWS).
    """

    code = "client.handshake"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
        data: Mapping[str, Any] | None = None,
        receipt: str | None = None,
    ) -> None:
        super().__init__(message, code=code, data=data)
        self.receipt = receipt
        self.status = status
        self.retry_after_s = retry_after_s


class ConfigurationRefused(HandshakeError):
    """The client cannot be built like that, or has no session token. Nothing was sent."""

    code = "client.configuration"


class ParametersRefused(HandshakeError, ValueError):
    """The parameters have no JSON form that every reader reads alike, or are too large. Nothing was sent."""

    code = "client.parameters"


class UnclassifiedTool(HandshakeError, ValueError):
    """Nobody gave the tool a data class. Nothing was sent (conflict C03: unknown is refused)."""

    code = "client.unclassified_tool"


class AuthorizationFailed(HandshakeError):
    """The first phase was refused, or did not arrive. Nothing was executed: this phase executes nothing."""

    code = "client.authorization_failed"


class ExecutionFailed(HandshakeError):
    """The second phase was refused, or the target refused the call: it had no effect.

    ``result``: the target's own words, where it was asked. The token is used up; a new attempt is a new handshake.
    """

    code = "client.execution_failed"
    result: Any = None


class ConfirmationPending(HandshakeError):
    """A person has not decided yet. Nothing was executed. The same call, made again later, finds its confirmation."""

    code = "client.confirmation_pending"
    approve_url: str | None = None
    transaction_id: str = ""


class OutcomeUnknown(HandshakeError):
    """The call left and nobody can say whether it had an effect. Do NOT repeat it: look at the target first.

    A second handshake would be a second payment (invariant 4 of the gateway).
    """

    code = "client.outcome_unknown"
    transaction_id: str = ""
