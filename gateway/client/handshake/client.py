"""``HandshakeClient`` and ``SyncHandshakeClient``: the flow of ``flow.py`` over httpx.

They know the gateway's address and a session token, and nothing of the target (R059). The ephemeral token lives in the
running call alone. Nothing is logged here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from inspect import isawaitable
from typing import Any, NoReturn, Self

import httpx

from gateway.client.handshake.answers import MAX_BODY_BYTES, Reply
from gateway.client.handshake.errors import ConfigurationRefused
from gateway.client.handshake.flow import (
    Authorization,
    Confirmation,
    Flow,
    NotAnswered,
    Pause,
    Post,
    Request,
    authorizing,
    executing,
)
from gateway.client.handshake.options import Timeouts, Tls, http_options, service_url, timeouts_of
from gateway.client.handshake.parameters import checked_tool, serialised
from gateway.client.handshake.proof import ParametersSigner
from gateway.client.handshake.replies import NOT_SENT, plain, reply_of, wants_another
from gateway.client.handshake.session_token import Session, TokenSource, kept, session_now, session_of


class _Settled:
    """What both clients are built from."""

    def __init__(
        self,
        url: str,
        session_token: TokenSource,
        *,
        server: str | None,
        tls: Tls | None,
        timeouts: Timeouts | None,
        signer: ParametersSigner | None,
    ) -> None:
        self._url = service_url(url)
        self._source = kept(session_token)
        self._server = server
        self._timeouts = timeouts_of(timeouts)
        self._signer = signer
        self._options = http_options(self._url, self._timeouts, tls)
        if signer is not None and server is None:
            # The gateway's first server may be another one tomorrow, and a signature is for one server.
            raise ConfigurationRefused("server: a signer needs the name of the server that it signs for.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __reduce__(self) -> NoReturn:
        """Pickles end up where nobody looks."""
        raise TypeError("a client holds a session token, and cannot be pickled or copied")

    def _request(self, session: Session, tool: str, parameters: bytes, data_class: int | None) -> Request:
        return Request(
            session=session,
            tool=tool,
            parameters=parameters,
            server=self._server,
            data_class=data_class,
            signer=self._signer,
        )

    def _post(self, step: Post) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        if step.token is not None:
            headers["x-ephemeral-token"] = step.token.expose()
        session = step.session
        if session is not None and session.prover is not None:
            url, access = self._url + step.path, session.token.expose()
            headers["dpop"] = session.prover.proof("POST", url, access=access)
        return {"method": "POST", "url": self._url + step.path, "content": step.body, "headers": headers}


class HandshakeClient(_Settled):
    """The gateway at one URL, for ``async`` code. Several calls may run at once. Close it, or use ``async with``.

    :param session_token: text, a :class:`~gateway.client.handshake.session_token.BoundToken`, or a function (also
        ``async``) that gives one and is called for each transaction.
    :param server: which server behind the gateway; the first one where it is left out.
    :param on_confirmation: told once for each call that a person has to confirm; may be ``async``. If it returns
        ``False``, or there is none, :class:`ConfirmationPending` is raised instead of waiting.
    :param signer: signs the parameters of each request; needs ``server``.
    :raises ConfigurationRefused: see ``options.py``.
    """

    def __init__(
        self,
        url: str,
        session_token: TokenSource,
        *,
        server: str | None = None,
        tls: Tls | None = None,
        timeouts: Timeouts | None = None,
        on_confirmation: Callable[[Confirmation], Awaitable[bool | None] | bool | None] | None = None,
        signer: ParametersSigner | None = None,
    ) -> None:
        super().__init__(url, session_token, server=server, tls=tls, timeouts=timeouts, signer=signer)
        self._on_confirmation = on_confirmation
        self._http = httpx.AsyncClient(**self._options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def execute_with_handshake(self, tool: str, parameters: Mapping[str, Any]) -> Any:
        """Both phases. :raises HandshakeError: which says in its class whether anything had an effect."""
        return await self.execute_with_zero_trust_handshake(tool, parameters, None)

    async def execute_with_zero_trust_handshake(
        self, tool: str, parameters: Mapping[str, Any], data_class: int | None
    ) -> Any:
        """The same, and the data class goes with it as ``metadata``; the gateway decides by its own."""
        authorization = await self.request_auth(tool, parameters, data_class)
        return await self.execute_with_auth(authorization, tool, parameters)

    async def request_auth(
        self, tool: str, parameters: Mapping[str, Any], data_class: int | None = None
    ) -> Authorization:
        """The first phase. :raises AuthorizationFailed: :raises ParametersRefused: :raises ConfigurationRefused:"""
        name, sent = checked_tool(tool), serialised(parameters)
        request = self._request(await session_of(self._source), name, sent, data_class)
        authorization: Authorization = await self._run(authorizing(request, time.monotonic))
        return authorization

    async def execute_with_auth(self, auth: Authorization, tool: str, parameters: Mapping[str, Any]) -> Any:
        """The second phase, once; waits for a person where one has to confirm."""
        flow = executing(
            auth,
            tool,
            serialised(parameters),
            timeouts=self._timeouts,
            can_confirm=self._on_confirmation is not None,
            now=time.monotonic,
        )
        return await self._run(flow)

    async def _run(self, flow: Flow) -> Any:
        outcome: Any = None
        try:
            step = flow.send(None)
            while True:
                match step:
                    case Post():
                        try:
                            outcome = await self._sent(step)
                            if wants_another(step, outcome, self._url):
                                outcome = await self._sent(step)
                        except NotAnswered as problem:
                            step = flow.throw(problem)
                            continue
                    case Confirmation():
                        assert self._on_confirmation is not None  # else the flow does not ask
                        outcome = self._on_confirmation(step)
                        outcome = await outcome if isawaitable(outcome) else outcome
                    case Pause():
                        await asyncio.sleep(step.seconds)
                step = flow.send(outcome)
        except StopIteration as end:
            return end.value

    async def _sent(self, step: Post) -> Reply:
        body = bytearray()
        try:
            async with self._http.stream(**self._post(step)) as response:
                whole = plain(response)
                async for chunk in response.aiter_raw():
                    body += chunk
                    if not whole or len(body) > MAX_BODY_BYTES:
                        return reply_of(response, None)
                return reply_of(response, bytes(body))
        except httpx.HTTPError as problem:
            raise NotAnswered(sent=not isinstance(problem, NOT_SENT)) from None


class SyncHandshakeClient(_Settled):
    """The same for code without an event loop; ``on_confirmation`` is a plain function. Safe to share by threads."""

    def __init__(
        self,
        url: str,
        session_token: TokenSource,
        *,
        server: str | None = None,
        tls: Tls | None = None,
        timeouts: Timeouts | None = None,
        on_confirmation: Callable[[Confirmation], bool | None] | None = None,
        signer: ParametersSigner | None = None,
    ) -> None:
        super().__init__(url, session_token, server=server, tls=tls, timeouts=timeouts, signer=signer)
        self._on_confirmation = on_confirmation
        self._http = httpx.Client(**self._options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def execute_with_handshake(self, tool: str, parameters: Mapping[str, Any]) -> Any:
        """Both phases. :raises HandshakeError: which says in its class whether anything had an effect."""
        return self.execute_with_auth(self.request_auth(tool, parameters), tool, parameters)

    def request_auth(
        self, tool: str, parameters: Mapping[str, Any], data_class: int | None = None
    ) -> Authorization:
        """The first phase."""
        name, sent = checked_tool(tool), serialised(parameters)
        request = self._request(session_now(self._source), name, sent, data_class)
        authorization: Authorization = self._run(authorizing(request, time.monotonic))
        return authorization

    def execute_with_auth(self, auth: Authorization, tool: str, parameters: Mapping[str, Any]) -> Any:
        """The second phase, once; waits for a person where one has to confirm."""
        flow = executing(
            auth,
            tool,
            serialised(parameters),
            timeouts=self._timeouts,
            can_confirm=self._on_confirmation is not None,
            now=time.monotonic,
        )
        return self._run(flow)

    def _run(self, flow: Flow) -> Any:
        outcome: Any = None
        try:
            step = flow.send(None)
            while True:
                match step:
                    case Post():
                        try:
                            outcome = self._sent(step)
                            if wants_another(step, outcome, self._url):
                                outcome = self._sent(step)
                        except NotAnswered as problem:
                            step = flow.throw(problem)
                            continue
                    case Confirmation():
                        assert self._on_confirmation is not None  # else the flow does not ask
                        outcome = self._on_confirmation(step)
                        if isawaitable(outcome):
                            raise ConfigurationRefused("on_confirmation: a plain function, for this client.")
                    case Pause():
                        time.sleep(step.seconds)
                step = flow.send(outcome)
        except StopIteration as end:
            return end.value

    def _sent(self, step: Post) -> Reply:
        body = bytearray()
        try:
            with self._http.stream(**self._post(step)) as response:
                whole = plain(response)
                for chunk in response.iter_raw():
                    body += chunk
                    if not whole or len(body) > MAX_BODY_BYTES:
                        return reply_of(response, None)
                return reply_of(response, bytes(body))
        except httpx.HTTPError as problem:
            raise NotAnswered(sent=not isinstance(problem, NOT_SENT)) from None
