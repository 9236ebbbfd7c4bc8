"""PayPal's own MCP servers, within bounds: what they would get wrong does not reach them, and errors are errors.

Its tools are the 28 of :mod:`.definitions`; others it lists (``update_plan`` ...) cannot be called here. It sends no
idempotency key, so a call whose outcome is unknown must not be repeated: nothing here does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.door.host import NOBODY, Host
from gateway.upstream.paypal import outcome
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.toolkit_outcome import judged
from gateway.upstream.paypal.toolkit_rules import ToolkitChecker
from gateway.upstream.reply import own_reply
from gateway.upstream.target import About, Effect, Reply, Resumed, Upstream

ANNOTATIONS: Mapping[str, Mapping[str, Any]] = {
    name: tool.wire["annotations"] for name, tool in TOOLS.items()
}
"""What hosts are told of these tools; the toolkit tells them nothing."""
_INVALID_PARAMS = -32602


class Toolkit:
    """An upstream around one that is PayPal's. Definitions pass as they are: they are what is approved."""

    cancels = False
    """It ignores a cancellation, so a call is carried to its end and the record says how it ended."""

    def __init__(self, inner: Upstream) -> None:
        self.name = inner.name
        self._inner = inner
        self._checker = ToolkitChecker()

    async def about(self) -> About:
        """See ``Upstream.about``."""
        return await self._inner.about()

    async def definitions(self) -> list[dict[str, Any]]:
        """See ``Upstream.definitions``."""
        return await self._inner.definitions()

    async def call(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        transaction_id: str,
        meta: Mapping[str, Any],
        host: Host = NOBODY,
        resumed: Resumed | None = None,
    ) -> Reply:
        """See ``Upstream.call``. Refused here means that nothing was sent."""
        ours = TOOLS.get(tool)
        if ours is None:
            message = f"The tool {tool[:128]!r} of PayPal's toolkit is not offered here."
            error = {"code": _INVALID_PARAMS, "message": message}
            return Reply(effect=Effect.REFUSED, error=error, is_error=True)
        problems = self._checker.problems(tool, arguments)
        if problems:
            return own_reply(outcome.invalid_arguments(ours, problems))
        reply = await self._inner.call(
            tool, arguments, transaction_id=transaction_id, meta=meta, host=host, resumed=resumed
        )
        return judged(tool, reply)

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """See ``Upstream.request``. A call is made by :meth:`call` alone."""
        return await self._inner.request(method, params, host=host, resumed=resumed)

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """See ``Upstream.tell``."""
        await self._inner.tell(method, params, host=host)

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """See ``Upstream.listen``."""
        await self._inner.listen(params, host=host)

    async def forget(self, key: str) -> None:
        """See ``Upstream.forget``."""
        await self._inner.forget(key)

    async def aclose(self) -> None:
        """See ``Upstream.aclose``."""
        await self._inner.aclose()
