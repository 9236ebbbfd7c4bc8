"""Fixtures of the PayPal server's tests."""

from collections.abc import AsyncIterator

import pytest

from tests.upstream.paypal.conversation import Conversation


@pytest.fixture
async def paypal(anyio_backend: str) -> AsyncIterator[Conversation]:
    """A PayPal server and the simulator behind it."""
    conversation = Conversation()
    yield conversation
    await conversation.aclose()
