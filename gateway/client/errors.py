"""What can go wrong on the local side. Messages are for the person at the host, and hold no secret."""

from __future__ import annotations

from gateway.errors import CountersignError


class BridgeError(CountersignError):
    """The bridge cannot do what the host asked. Becomes a JSON-RPC error with a code outside the reserved range."""

    code = "client.failed"
    rpc_code = 5040


class GatewayUnreachable(BridgeError):
    """No connection to the gateway: it is certain that nothing was sent."""

    code = "client.unreachable"


class AnswerLost(BridgeError):
    """The request left and its answer did not come. What became of it is unknown (invariant 4)."""

    code = "client.answer_lost"


class LoginFailed(BridgeError):
    """No access token could be had."""

    code = "client.login_failed"


class VaultError(BridgeError):
    """Tokens or keys cannot be kept, or what is kept cannot be trusted."""

    code = "client.vault"


class HostFileError(BridgeError):
    """A host's settings file cannot be changed safely; nothing was written."""

    code = "client.host_file"
