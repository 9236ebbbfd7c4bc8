"""An event loop in a thread, for code that has none: LangChain's ``invoke``, CrewAI, scripts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self, TypeVar

from gateway.client.wrapping import Call

T = TypeVar("T")


class Background:
    """A context; inside it, coroutines run in one loop of its own, so that clients keep their connections."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="countersign-client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Another thread may be waiting for a coroutine of this loop, and would wait for ever once it has stopped.
        asyncio.run_coroutine_threadsafe(_ended(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Its result, waited for. Not to be called from the loop itself."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def blocking(self, call: Call) -> Callable[[str, Mapping[str, Any]], Any]:
        """A plain function that does what ``call`` does."""

        async def awaited(tool: str, parameters: Mapping[str, Any]) -> Any:
            return await call(tool, parameters)

        return lambda tool, parameters: self.run(awaited(tool, parameters))


async def _ended() -> None:
    """Cancel what still runs in this loop, and wait for its end."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
