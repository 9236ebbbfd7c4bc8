"""What a server says on its own account, under the name of the host's own subscription."""

from typing import Any

import msgspec
import pytest

from gateway.door.host import HostCannot
from gateway.door.listen import SUBSCRIPTION_META_KEY, Listener
from tests.door.test_channel import a_channel


class Ear:
    """A listener, and the frames that its host gets."""

    def __init__(self, rpc_id: str | int = "mine") -> None:
        self._sent: list[dict[str, Any]] = []
        self.listener = Listener(a_channel(self._sent), rpc_id)

    @property
    def bodies(self) -> list[bytes]:
        """What was written, event by event."""
        return [one["body"] for one in self._sent if "body" in one]

    async def hears(self, frame: bytes) -> dict[str, Any]:
        """One frame of the server, as the host gets it."""
        await self.listener.notify(msgspec.Raw(frame))
        heard: dict[str, Any] = msgspec.json.decode(self._sent[-1]["body"].removeprefix(b"data: "))
        return heard


@pytest.mark.parametrize("rpc_id", ["mine", 7, ""])
@pytest.mark.parametrize(
    "params",
    [
        b"",
        b',"params":{}',
        b',"params":[]',
        b',"params":{"_meta":5}',
        b',"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"the gateways"}}',
        b',"params":{"_meta":{"io.modelcontextprotocol\\u002fsubscriptionId":"the gateways"}}',
    ],
)
async def test_every_frame_names_the_hosts_own_request(rpc_id: str | int, params: bytes) -> None:
    """Whatever the server wrote there."""
    heard = await Ear(rpc_id).hears(
        b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"' + params + b"}"
    )
    assert heard["params"]["_meta"] == {SUBSCRIPTION_META_KEY: rpc_id}
    assert heard["method"] == "notifications/tools/list_changed"


async def test_what_a_frame_says_stays() -> None:
    """Its other members, and other ``_meta``."""
    frame = b'{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1","_meta":{"k":[1]}}}'
    heard = await Ear().hears(frame)
    assert heard["params"] == {"uri": "a:1", "_meta": {"k": [1], SUBSCRIPTION_META_KEY: "mine"}}


@pytest.mark.parametrize("key", ["dev.countersign/decision", "dev.countersign\\/decision"])
async def test_the_gateways_own_keys_are_not_the_servers(key: str) -> None:
    """They are taken off here too."""
    frame = '{"jsonrpc":"2.0","method":"notifications/message","params":{"_meta":{"' + key + '":1}}}'
    heard = await Ear().hears(frame.encode())
    assert heard["params"]["_meta"] == {SUBSCRIPTION_META_KEY: "mine"}


@pytest.mark.parametrize("data", [b"[" * 3_000 + b"]" * 3_000, b'"\\ud83d"'], ids=["deep", "half"])
async def test_a_frame_that_cannot_be_read_does_not_end_the_stream(data: bytes) -> None:
    """Attack: brackets without end, as deep as they were not too deep where the frame was read first."""
    ear = Ear()
    frame = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"data":' + data + b"}}"
    await ear.listener.notify(msgspec.Raw(frame))
    assert ear.bodies == []


async def test_a_server_that_says_nothing_is_acknowledged_as_such() -> None:
    """The host learns that nothing of what it asked for will come."""
    sent: list[dict[str, Any]] = []
    await Listener(a_channel(sent), 1).acknowledge_nothing()
    heard = msgspec.json.decode(sent[-1]["body"].removeprefix(b"data: "))
    assert heard["method"] == "notifications/subscriptions/acknowledged"
    assert heard["params"] == {"notifications": {}, "_meta": {SUBSCRIPTION_META_KEY: 1}}


async def test_a_listener_is_asked_nothing() -> None:
    """It declared nothing; nor does its host's declaration count here."""
    listener = Listener(a_channel(capabilities={"elicitation": {}}), 1)
    assert listener.capabilities == {}
    with pytest.raises(HostCannot):
        await listener.ask("elicitation/create", msgspec.Raw(b"{}"))


def test_two_listeners_share_no_conversation() -> None:
    """Of one host neither: the one would hear what the other asked for."""
    channel = a_channel(capabilities={"elicitation": {}})
    keys = {Listener(channel, 1).key, Listener(channel, 1).key, channel.key}
    assert len(keys) == 3
