"""ETDI in the handshake of a client on the ``mcp`` SDK: said, and held to what the server says.

::

    async with Client(url, extensions=[speaks(own)]) as client:
        agreement = agreed(client, own)

The SDK carries extensions in both eras; what a server says in the other spellings is read where the SDK keeps it.
"""

from __future__ import annotations

from mcp.client import Client
from mcp.client.extension import ClientExtension, advertise

from gateway.authoring.negotiation import Agreement, Capability, client_form, negotiate, read_capability
from gateway.catalog.tool import ETDI_META_KEY


def speaks(own: Capability) -> ClientExtension:
    """For ``Client(extensions=[...])``."""
    return advertise(ETDI_META_KEY, client_form(own))


def agreed(client: Client, own: Capability) -> Agreement:
    """What this client and the server it is connected to can do together; ``why`` where that is nothing.

    :raises NegotiationFailed: ``own`` requires ETDI and the server has none, or none that fits. Do not go on then.
    """
    said = client.server_capabilities.model_dump(by_alias=True, mode="json", exclude_none=True)
    return negotiate(own, read_capability(said))
