"""``subscriptions/listen`` (2026-07-28/basic/patterns/subscriptions): what a server says on its own account.

The answer to the request is the stream. Its first frame acknowledges, and every frame names the subscription: the
JSON-RPC id of *this host's* request, whatever id the gateway used upstream. For a server of the older era, which has
no such request, the gateway acknowledges and chooses what was asked for.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from gateway.door.channel import Channel
from gateway.door.host import HostCannot
from gateway.identity.credentials import Secret

SUBSCRIPTION_META_KEY: Final = "io.modelcontextprotocol/subscriptionId"
_ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
_SWITCHES: Final = {
    "notifications/tools/list_changed": ("toolsListChanged", "tools"),
    "notifications/prompts/list_changed": ("promptsListChanged", "prompts"),
    "notifications/resources/list_changed": ("resourcesListChanged", "resources"),
}
"""What a notification is asked for by, and the capability whose ``listChanged`` says that it may come."""
_ENCODER = msgspec.json.Encoder()
_MESSAGE = msgspec.json.Decoder(dict[str, Any])


class Listener:
    """The host's side of one subscription, as the upstream sees it. It listens; it is asked nothing."""

    asks_in_band = False
    capabilities: Mapping[str, Any] = {}
    param_headers: Mapping[str, str] = {}

    def __init__(self, channel: Channel, rpc_id: str | int, wanted: Mapping[str, Any]) -> None:
        # A conversation of its own: another request of the same host must not hear its notifications.
        self.conversation = f"listen:{secrets.token_hex(16)}"
        self.key: str | None = self.conversation
        self.subject_token: Secret | None = channel.subject_token
        self._channel = channel
        self._rpc_id = rpc_id
        self._wanted = wanted
        self._chooses = False

    async def acknowledge(self, capabilities: Mapping[str, Any]) -> None:
        """Stand in for a server that cannot acknowledge, and choose from what it says from now on."""
        self._chooses = True
        agreed = {
            switch: True
            for switch, capability in _SWITCHES.values()
            if self._wanted.get(switch) is True and _declares(capabilities, capability, "listChanged")
        }
        await self._tell({"method": _ACKNOWLEDGED, "params": {"notifications": agreed}})
        self._wanted = agreed

    async def notify(self, message: msgspec.Raw) -> None:
        """One frame of the server, under this subscription's name."""
        document = _MESSAGE.decode(message)
        method = document.get("method")
        if self._chooses:
            switch = _SWITCHES.get(method) if isinstance(method, str) else None
            if switch is None or self._wanted.get(switch[0]) is not True:
                return
        await self._tell(document)

    async def ask(self, method: str, params: msgspec.Raw) -> msgspec.Raw:
        """A host of 2026-07-28 is asked in answer to its calls, and nowhere else."""
        del params
        raise HostCannot(f"Nobody answers {method} on a stream of notifications.")

    async def _tell(self, document: dict[str, Any]) -> None:
        params = document.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        meta = {**(meta if isinstance(meta, dict) else {}), SUBSCRIPTION_META_KEY: self._rpc_id}
        tagged = {**document, "jsonrpc": "2.0", "params": {**params, "_meta": meta}}
        await self._channel.notify(msgspec.Raw(_ENCODER.encode(tagged)))


def _declares(capabilities: Mapping[str, Any], capability: str, switch: str) -> bool:
    declared = capabilities.get(capability)
    return isinstance(declared, dict) and declared.get(switch) is True
