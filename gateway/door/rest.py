"""The REST door of the handshake: ``POST /authorize`` and ``POST /execute`` (how-to guide, sections 2 and 4). Raw ASGI.

Both phases are the walk. The first is taken through a house in which nothing sends (``outcome/authorize.py``), so that
``/authorize`` executes nothing, whatever the policy says; the second always brings a token, if only one that nobody
handed out, so that it is never a first phase.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from gateway.door.call import ToolCall
from gateway.door.endpoint import STRANGER_BODY_BYTES
from gateway.door.headers import Headers
from gateway.door.host import Unasked
from gateway.door.http import (
    CLOSE,
    ClientGone,
    Guard,
    Receive,
    Scope,
    Send,
    check_media_types,
    read_body,
    respond,
)
from gateway.door.passing import RECEIPT_META_KEY
from gateway.door.rest_answers import answered, refused
from gateway.door.rest_message import (
    NO_TOKEN,
    PHASES,
    Phase,
    credentials_in,
    glimpse,
    read_rest_call,
    session_of,
)
from gateway.door.step_up import step_up
from gateway.door.strict_json import parse
from gateway.errors import (
    CountersignError,
    MalformedRequest,
    StoreUnavailable,
    TokenRefused,
    Unauthenticated,
    UnknownTool,
)
from gateway.identity.challenge import Access
from gateway.identity.credentials import Credentials
from gateway.outcome.answer import Answer, Refused
from gateway.walk import House, walk

_LOG = logging.getLogger("countersign.door")
RECEIPT = b"countersign-receipt"
"""The header of a refusal's receipt."""
UNTYPED = frozenset({"", "text/plain"})
"""What the how-to guide's own example sends: ``fetch`` with a text for a body. Nothing at this door is granted by
cookies, so that a page elsewhere gains nothing by a request that needs no preflight."""
WANTS_NONCE = "identity.proof_nonce"
"""The one refusal of credentials after which the same caller may come again at once (RFC 9449 section 9)."""


@dataclass(slots=True, kw_only=True)
class _Exchange:
    """How far one request has come. ``asked``: the server as the body names it, empty for the default one. ``token``:
    what it shows of an earlier phase."""

    call_id: str
    path: str
    phase: Phase
    headers: Headers
    asked: str = ""
    token: str = NO_TOKEN
    body_read: bool = False
    recorded: bool = False


class RestEndpoint:
    """ASGI application for ``/authorize`` and ``/execute``.

    ``authorizing`` is the house for the first phase: the same rooms, and nothing in it that sends.
    """

    def __init__(
        self,
        house: House,
        authorizing: House,
        guard: Guard,
        *,
        default_server: str,
        version: str,
        max_body_bytes: int,
        access: Access,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._house = house
        self._authorizing = authorizing
        self._guard = guard
        self._default_server = default_server
        self._version = version
        self._max_body_bytes = max_body_bytes
        self._access = access
        self._now = now

    def serves(self, path: str) -> bool:
        """Whether a request of that path is for this endpoint."""
        return path in PHASES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request.

        Every outcome of both phases has its audit record before the answer leaves (conflict C13); a 405 has none, and
        neither has a client that hung up before its request was complete.
        """
        if scope["method"] != "POST":
            await respond(send, 405, headers=((b"allow", b"POST"),))
            return
        exchange = _Exchange(
            call_id=str(uuid.uuid4()),
            path=scope["path"],
            phase=PHASES[scope["path"]],
            headers=Headers(scope["headers"]),
        )
        try:
            call = await self._read(exchange, receive)
            exchange.recorded = True
            answer = await (
                self._execute(call) if exchange.phase == "execute" else walk(call, self._authorizing)
            )
            missing = step_up(answer, self._access)
            if missing is not None:
                raise missing
            status, body = answered(answer, exchange.phase, version=self._version)
        except ClientGone:
            return
        except CountersignError as error:
            await self._refuse(send, error, exchange)
        except Exception:  # noqa: BLE001 - the last line of defence: a defect is answered, not leaked
            _LOG.exception("internal error in call %s", exchange.call_id)
            said = "The gateway failed; the operator finds this call id in the log."
            await self._refuse(send, CountersignError(said), exchange)
        else:
            receipt = answer.about.receipt if isinstance(answer, Refused) else None
            await respond(send, status, body, headers=_with(receipt))

    async def _read(self, exchange: _Exchange, receive: Receive) -> ToolCall:
        """The call of one request. Nothing of it has been judged."""
        headers = exchange.headers
        self._guard.check(headers)
        check_media_types(headers, also=UNTYPED)
        body = await read_body(receive, headers, limit=self._max_body_bytes)
        exchange.body_read = True
        seen = glimpse(body) if len(body) > STRANGER_BODY_BYTES else None
        presented: Credentials | None = None
        if seen is not None:
            exchange.token = seen.ephemeral_token or NO_TOKEN
            presented = credentials_in(headers, seen, exchange.path)
            await self._house.identity.identify(presented)
        document = parse(body)
        session = session_of(document)
        if seen is not None and seen != session:
            raise MalformedRequest("The body does not say in one way who asks.", code="door.params")
        exchange.asked, exchange.token = session.server or "", session.ephemeral_token or NO_TOKEN
        # Read once for each request: a proof of possession is good for one reading.
        credentials = presented or credentials_in(headers, session, exchange.path)
        try:
            return read_rest_call(
                exchange.phase,
                document,
                headers,
                server=session.server or self._default_server,
                call_id=exchange.call_id,
                received_at=self._now(),
                credentials=credentials,
            )
        except MalformedRequest:
            # The session comes first (R013): a stranger learns nothing about the shape of a call.
            await self._house.identity.identify(credentials)
            raise

    async def _execute(self, call: ToolCall) -> Answer:
        """The second phase."""
        assert call.token is not None  # else it would be a first one
        try:
            # Whose call it is: a target that knows each caller must not be shown the gateway's own token.
            return await walk(call, self._house, Unasked(call.credentials.bearer))
        except UnknownTool:
            # A token for one tool, shown with the name of none: it fits as little as with the name of another.
            if await self._burn(call.token):
                raise TokenRefused("Transaction mismatch", code="handshake.mismatch") from None
            raise TokenRefused("Invalid or expired token", code="handshake.token_unknown") from None

    async def _burn(self, token: str) -> bool:
        """Take a token out of the store that no walk got as far as to; whether it was one. Without a store it is good
        for nothing either, and soon over."""
        try:
            return await self._house.waiting.present(token) is not None
        except StoreUnavailable:
            return False

    async def _refuse(self, send: Send, error: CountersignError, exchange: _Exchange) -> None:
        if not exchange.recorded:
            await self._house.books.rejected(
                call_id=exchange.call_id,
                server=exchange.asked or self._default_server,
                method=exchange.phase,
                error=error,
            )
        if exchange.phase == "execute" and isinstance(error, Unauthenticated) and error.code != WANTS_NONCE:
            # Whose session is over has authorised nothing any more (R021). That of a caller who is only told a new
            # nonce is not: everything else of the proof was right.
            await self._burn(exchange.token)
        status, body = refused(error, call_id=exchange.call_id)
        headers = self._access.challenge(error, exchange.asked)
        if not exchange.body_read:
            # Whatever still comes on this connection was never looked at.
            headers = (*headers, CLOSE)
        receipt = error.data.get(RECEIPT_META_KEY)
        await respond(send, status, body, headers=(*headers, *_with(receipt)))


def _with(receipt: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """A refusal in the guide's words has a body with no place for its receipt."""
    return () if receipt is None else ((RECEIPT, receipt.encode("ascii")),)
