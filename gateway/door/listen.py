"""``subscriptions/listen`` (2026-07-28/basic/patterns/subscriptions): what a server says on its own account.

The answer to the request is the stream. Its first frame acknowledges, and every frame names the subscription: the
JSON-RPC id of *this host's* request, whatever id the gateway used upstream.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.door.channel import Channel, members_of
from gateway.door.host import HostCannot
from gateway.identity.credentials import Secret

SUBSCRIPTION_META_KEY: Final = "io.modelcontextprotocol/subscriptionId"
_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_ENCODER = msgspec.json.Encoder()
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Listener:
    """The host's side of one subscription, as the upstream sees it. It listens; it is asked nothing."""

    asks_in_band = False
    capabilities: Mapping[str, Any] = {}

    def __init__(self, channel: Channel, rpc_id: str | int) -> None:
        # A conversation of its own: another request of the same host must not hear its notifications.
        self.conversation = f"listen:{secrets.token_hex(16)}"
        self.key: str | None = self.conversation
        self.subject_token: Secret | None = channel.subject_token
        self._channel = channel
        self._rpc_id = rpc_id

    async def acknowledge_nothing(self) -> None:
        """For a server that says nothing on its own account."""
        await self._tell({"method": _ACKNOWLEDGED}, {"notifications": {}}, {})

    async def notify(self, message: msgspec.Raw) -> None:
        """One frame of the server, under this subscription's name; one that cannot be read is none."""
        try:
            document = _MEMBERS.decode(message)
            params = members_of(document.get("params"))
            meta = members_of(params.get("_meta"))
        except (ValueError, RecursionError):
            return
        await self._tell(document, params, meta)

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """A host of 2026-07-28 is asked in answer to its calls, and nowhere else."""
        del params
        raise HostCannot(f"Nobody answers {method} on a stream of notifications.")

    async def _tell(
        self, document: Mapping[str, Any], params: Mapping[str, Any], meta: Mapping[str, Any]
    ) -> None:
        named = {**meta, SUBSCRIPTION_META_KEY: self._rpc_id}
        tagged = {**document, "jsonrpc": "2.0", "params": {**params, "_meta": named}}
        await self._channel.notify(msgspec.Raw(_ENCODER.encode(tagged)))
