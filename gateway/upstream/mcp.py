"""Any MCP server as an upstream, whatever carries the conversation. The eras are bridged where a server lacks one.

==================  =======================================  ====================================================
the host            the server is modern (2026-07-28)        the server is legacy (before)
==================  =======================================  ====================================================
asks in band        its ``input_required`` is asked out      its requests go to ``host.ask``
                    here, and the call repeated
input_required      its ``input_required`` passes on         its requests go to ``host.ask``, which parks the call
==================  =======================================  ====================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from gateway.door.call import Era
from gateway.door.host import NOBODY, Host
from gateway.errors import UNSUPPORTED_PROTOCOL_VERSION, UpstreamUnavailable
from gateway.upstream.bridge import OLDER_NOTIFICATIONS, Bridge
from gateway.upstream.line import Line, SessionEnded, Unanswered, Unsent
from gateway.upstream.lines import Lines
from gateway.upstream.listening import listen
from gateway.upstream.mcp_request import NOTHING, ParamHeaders, meta_of, param_headers_of, params_of
from gateway.upstream.opening import result_of
from gateway.upstream.rounds import in_rounds
from gateway.upstream.target import TRANSACTION_META_KEY, About, Effect, Reply, Resumed

MAX_PAGES = 50
"""Pages of one listing; a cursor that never ends is an attack on whoever follows it."""
MAX_LISTED = 5_000
"""Tools of one listing, all pages together; far above what the catalog takes."""


class Mcp:
    """One configured server. ``lines`` are the conversations with it; ``close`` frees what carries them."""

    cancels = True

    def __init__(self, name: str, lines: Lines) -> None:
        self.name = name
        self._lines = lines
        self._bridge = Bridge()
        self._params: dict[str, ParamHeaders] = {}

    async def about(self) -> About:
        """As it was said when the shared conversation was opened."""
        about = (await self._line(NOBODY)).about
        if about is None:
            raise self._unavailable("did not say what it is")
        return about

    async def definitions(self) -> list[dict[str, Any]]:
        """All pages of ``tools/list``."""
        tools: list[dict[str, Any]] = []
        params: dict[str, Any] = {}
        for _ in range(MAX_PAGES):
            result = result_of(await self._asked("tools/list", params, NOBODY, None))
            page = result.get("tools") if result is not None else None
            if result is None or not isinstance(page, list) or len(tools) + len(page) > MAX_LISTED:
                break
            tools += [one for one in page if isinstance(one, dict)]
            cursor = result.get("nextCursor")
            if not isinstance(cursor, str) or not cursor:
                self._params = _param_headers(tools)
                return tools
            params = {"cursor": cursor}
        raise self._unavailable("gave no usable list of tools")

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
        """One ``tools/call``, sent at most once for each time the server asks to be called again."""
        line = self._lines.ready(host) or await self._line(host)
        era = line.talk.era
        self._resumable(era, resumed)
        sent = {**self._bridge.meta(line, meta_of(meta, era), host), TRANSACTION_META_KEY: transaction_id}
        params: dict[str, Any] = {"name": tool, "arguments": arguments, "_meta": sent}
        wanted = self._params.get(tool) if era is Era.MODERN else None
        headers = params_of(wanted, arguments) if wanted is not None else NOTHING
        if era is Era.LEGACY:
            await self._bridge.level(line, meta, host)
        try:
            reply = await line.exchange("tools/call", _with(params, resumed), host, headers=headers)
        except Unsent as problem:
            raise self._not_sent(line, problem) from problem
        except Unanswered as problem:
            return Reply(effect=Effect.UNKNOWN, status=problem.status)
        if reply.effect is Effect.WAITING:
            # From here on something was sent: whatever goes wrong now is unknown, never "nothing happened".
            async def again(resumed: Resumed) -> Reply:
                try:
                    return await line.exchange("tools/call", _with(params, resumed), host, headers=headers)
                except (Unsent, Unanswered, UpstreamUnavailable):
                    return Reply(effect=Effect.UNKNOWN)

            reply = await in_rounds(reply, again, host)
        return self._noted(line, reply)

    async def request(
        self, method: str, params: Mapping[str, Any], *, host: Host = NOBODY, resumed: Resumed | None = None
    ) -> Reply:
        """Any other request: its answer as it came, or that of the bridge where this server's era has no such thing."""
        line = await self._line(host)
        answer = self._bridge.answer(line, method, params, host)
        if answer is not None:
            return answer
        reply = await self._asked(method, params, host, resumed)
        if reply.effect is Effect.WAITING:
            reply = await in_rounds(reply, lambda more: self._asked(method, params, host, more), host)
        return reply

    async def tell(self, method: str, params: Mapping[str, Any], *, host: Host) -> None:
        """One notification, to what is open for this host; a conversation is not opened for it."""
        lines = [] if host.key is None else self._lines.existing(host.key)
        shared = self._lines.ready(host)
        if shared is not None and shared.talk.era is Era.MODERN and method not in OLDER_NOTIFICATIONS:
            lines.append(shared)
        for line in lines:
            with suppress(Unsent, Unanswered, UpstreamUnavailable):
                await line.tell(method, self._bridge.params(line, params, host), host)

    async def listen(self, params: Mapping[str, Any], *, host: Host) -> None:
        """The server's own stream, in the dialect that ``params`` tell: those of ``subscriptions/listen``, or none.

        ``_meta["io.modelcontextprotocol/subscriptionId"]`` of what is handed over names a request of the gateway's: it
        is for the door to write the host's own there.
        """
        line = await self._line(host)
        try:
            await listen(line, self._bridge.params(line, params, host), host)
        except SessionEnded as problem:
            raise self._not_sent(line, problem) from problem
        except Unsent as problem:
            raise self._unavailable(problem.what, code=problem.code) from problem
        except Unanswered as problem:
            raise self._unavailable(problem.what) from problem

    async def forget(self, key: str) -> None:
        """End the key's conversations, at the server too."""
        self._bridge.forget(key)
        await self._lines.forget(key)

    async def aclose(self) -> None:
        """End all conversations."""
        await self._lines.aclose()

    async def _line(self, host: Host) -> Line:
        """:raises UpstreamUnavailable:"""
        try:
            return await self._lines.of(host)
        except Unsent as problem:
            raise self._unavailable(problem.what, code=problem.code) from problem
        except Unanswered as problem:
            raise self._unavailable(problem.what) from problem

    async def _asked(
        self, method: str, params: Mapping[str, Any], host: Host, resumed: Resumed | None
    ) -> Reply:
        """A request that is sent again where the server ended the session and so did not look at it.

        :raises UpstreamUnavailable: no answer came.
        """
        try:
            return await self._exchanged(method, params, host, resumed)
        except SessionEnded:
            pass
        try:
            return await self._exchanged(method, params, host, resumed)
        except SessionEnded as problem:
            raise self._unavailable(problem.what, code=problem.code) from problem

    async def _exchanged(
        self, method: str, params: Mapping[str, Any], host: Host, resumed: Resumed | None
    ) -> Reply:
        line = await self._line(host)
        self._resumable(line.talk.era, resumed)
        if line.talk.era is Era.LEGACY:
            await self._bridge.level(line, params.get("_meta"), host)
        try:
            reply = await line.exchange(method, _with(self._bridge.params(line, params, host), resumed), host)
        except SessionEnded:
            self._lines.drop(line)
            raise
        except Unsent as problem:
            raise self._not_sent(line, problem) from problem
        except Unanswered as problem:
            raise self._unavailable(f"did not answer {method[:64]}") from problem
        self._bridge.heard(line, method, params, reply)
        return self._noted(line, reply)

    def _resumable(self, era: Era, resumed: Resumed | None) -> None:
        if resumed is not None and era is Era.LEGACY:
            # It never gave out a state that could come back; the host speaks of another server.
            raise self._unavailable("does not take up what it asked before", code="upstream.cannot_resume")

    def _noted(self, line: Line, reply: Reply) -> Reply:
        """A server that no longer knows the version that was agreed on was replaced by another one."""
        if reply.error is not None and reply.error.get("code") == UNSUPPORTED_PROTOCOL_VERSION:
            self._lines.drop(line)
        return reply

    def _not_sent(self, line: Line, problem: Unsent) -> UpstreamUnavailable:
        if isinstance(problem, SessionEnded):
            self._lines.drop(line)
        return self._unavailable(problem.what, code=problem.code)

    def _unavailable(self, what: str, *, code: str | None = None) -> UpstreamUnavailable:
        return UpstreamUnavailable(f"The server {self.name!r} {what}.", code=code)


def _with(params: dict[str, Any], resumed: Resumed | None) -> dict[str, Any]:
    """The same parameters with what a host brings back beside them (mrtr, client requirements)."""
    if resumed is None:
        return params
    beside: dict[str, Any] = {}
    if resumed.request_state is not None:
        beside["requestState"] = resumed.request_state
    if resumed.input_responses is not None:
        beside["inputResponses"] = resumed.input_responses
    return {**params, **beside}


def _param_headers(tools: list[dict[str, Any]]) -> dict[str, ParamHeaders]:
    found = {str(tool.get("name")): param_headers_of(tool.get("inputSchema")) for tool in tools}
    return {name: wanted for name, wanted in found.items() if wanted}
