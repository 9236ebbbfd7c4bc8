"""``execute_secure_tool``: which of two clients a call takes, by the tool's data class (Toolkit README, addendum).

The class is the one of ``policies/gateway/classes/data.yaml``, which ships with this package: no second map. It routes
and protects nothing: the gateway judges by its own copy, and a call that takes the wrong way is refused there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from gateway.client.handshake.errors import UnclassifiedTool

LEAST_SENSITIVE: Final = 3
"""Classes 1 to 3 take two phases."""
if TYPE_CHECKING:
    from gateway.policy.classes import Classes

_LOG = logging.getLogger("countersign.client")


class StandardMcpClient(Protocol):
    """Calls a tool in one step: MCP through the gateway."""

    async def execute_tool(self, tool_name: str, parameters: Mapping[str, Any]) -> Any:
        """The tool's result."""
        ...


class ZeroTrustClient(Protocol):
    """Calls a tool in two; :class:`~gateway.client.HandshakeClient` is one."""

    async def request_auth(self, tool_name: str, parameters: Mapping[str, Any]) -> Any:
        """The first phase: what the second needs."""
        ...

    async def execute_with_auth(self, auth: Any, tool_name: str, parameters: Mapping[str, Any]) -> Any:
        """The second phase: the tool's result."""
        ...


async def execute_secure_tool(
    tool_name: str,
    parameters: Mapping[str, Any],
    standard_mcp_client: StandardMcpClient,
    zero_trust_client: ZeroTrustClient,
) -> Any:
    """The tool's result. The route and the class are logged, the parameters never.

    :raises UnclassifiedTool: before any client is called.
    """
    data_class = data_class_of(tool_name)
    if data_class is None:
        raise UnclassifiedTool(f"Unknown tool or classification for: {tool_name}")
    if data_class <= LEAST_SENSITIVE:
        _LOG.info("zero-trust flow for %s (class %d)", tool_name, data_class)
        auth = await zero_trust_client.request_auth(tool_name, parameters)
        return await zero_trust_client.execute_with_auth(auth, tool_name, parameters)
    _LOG.info("standard flow for %s (class %d)", tool_name, data_class)
    return await standard_mcp_client.execute_tool(tool_name, parameters)


def data_class_of(tool_name: str, server: str = "") -> int | None:
    """1 (most sensitive) to 5 (public); None for a tool nobody classified."""
    return _classes().of(server, tool_name)


@cache
def _classes() -> Classes:
    # Read at the first call and not at the import, which then needs no YAML.
    from gateway.places import policies_folder
    from gateway.policy.classes import Classes

    return Classes.load(policies_folder())
