"""The host at the other end of one request, as the rooms behind the door may use it. Values and a Protocol only.

Before a server answers it may *say* something (progress, a log line) and, where this host declared that it can,
*ask* something (elicitation, sampling, roots). Both travel through here, in the dialect of the host: on the request's
own event stream, or (2026-07-28) as ``input_required``, after which the host comes back with the answer.

A host that goes away, or cancels, is a cancelled task: whoever awaits an upstream for it is cancelled, and an
upstream tells its server in the server's own era (2026-07-28: close the stream; before: ``notifications/cancelled``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from gateway.errors import METHOD_NOT_FOUND
from gateway.identity.credentials import Secret

ASKED_OF_HOSTS: Final[Mapping[str, str]] = {
    "elicitation/create": "elicitation",
    "sampling/createMessage": "sampling",
    "roots/list": "roots",
}
"""What a server may ask of a host, and the capability by which a host declares that it can answer."""


class HostCannot(Exception):
    """The host did not declare that, answered with an error, or is gone. A JSON-RPC error for the server that asked.

    ``message`` is either ours or the host's own words; both are untrusted text to the server.
    """

    def __init__(self, message: str, *, code: int = METHOD_NOT_FOUND, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.data = data


def can_be_asked(host: Host) -> bool:
    """Whether the host declared that it can answer anything at all."""
    return any(capability in host.capabilities for capability in ASKED_OF_HOSTS.values())


class Host(Protocol):
    """One host, for the length of one request."""

    @property
    def key(self) -> str | None:
        """Whose conversation this is: opaque, bound to the caller (and to the host's session, where there is one).

        A server that keeps state per session (log level, subscriptions, questions) is given one session for each
        key. None: nothing of this request needs a session of its own.
        """
        ...

    @property
    def capabilities(self) -> Mapping[str, Any]:
        """``ClientCapabilities`` as THIS request (or its session) declared them; untrusted, and never more."""
        ...

    @property
    def asks_in_band(self) -> bool:
        """How a server that wants input is put to this host: True, by :meth:`ask` while its request is open; False, by
        the server's own ``input_required``, which it takes home and comes back with (2026-07-28)."""
        ...

    @property
    def subject_token(self) -> Secret | None:
        """The caller's own token, to be *exchanged* at the target's authorization server (RFC 8693) and sent nowhere
        else: it never goes upstream (invariant 6)."""
        ...

    async def notify(self, message: msgspec.Raw) -> None:
        """One whole JSON-RPC notification of the server, encoded, without line breaks. Dropped where nobody listens."""
        ...

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """One of :data:`ASKED_OF_HOSTS`; the encoded ``result``. :raises HostCannot:"""
        ...


class Nobody:
    """No host: for what the gateway asks on its own behalf, and where a dialect has no way back."""

    key: str | None = None
    capabilities: Mapping[str, Any] = {}
    asks_in_band: bool = False
    subject_token: Secret | None = None

    async def notify(self, message: msgspec.Raw) -> None:
        """Nobody listens."""

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """Nobody answers."""
        del params
        raise HostCannot(f"Nobody is here to answer {method}.")


NOBODY: Final = Nobody()


class Unasked(Nobody):
    """A host that nobody talks to: only whose token it is, so that a target which knows each caller knows this one."""

    def __init__(self, subject_token: Secret | None) -> None:
        self.subject_token = subject_token
