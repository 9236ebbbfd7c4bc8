"""What the gateway shows a target to be let in: its own credential, never the caller's (invariant 6)."""

from __future__ import annotations

from typing import Protocol

from gateway.door.host import Host


class Credential(Protocol):
    """Where the ``Authorization`` header of one target comes from."""

    @property
    def per_caller(self) -> bool:
        """Whether the target sees another one for each caller."""
        ...

    async def authorization(self, host: Host) -> bytes | None:
        """The whole value of the header for a request made for this host, or None to send none.

        :raises UpstreamUnavailable: it cannot be had at the moment; nothing was sent to the target.
        """
        ...

    def refused(self, value: bytes) -> None:
        """The target answered 401 to this value: do not hand it out again. Does not block."""
        ...


class StaticBearer:
    """A token from the settings, or nothing."""

    per_caller = False

    def __init__(self, token: str | None) -> None:
        self._value = None if token is None else b"Bearer " + token.encode("ascii")

    async def authorization(self, host: Host) -> bytes | None:
        """Always the same."""
        del host
        return self._value

    def refused(self, value: bytes) -> None:
        """There is no other one: an operator has to mend it."""
