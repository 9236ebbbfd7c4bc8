"""What waits between two phases: handshake tokens and calls that a second party has to countersign.

A token is 256 random bits; the store knows only its SHA-256. It is single-use, short-lived, and bound to caller,
server, tool, definition hash and arguments hash (:class:`Binding`) and to the policy revision that granted it.
It is taken out of the store BEFORE anything is compared: a wrong guess or a changed argument burns it, and of N
concurrent presenters exactly one gets it (invariant 3, conflicts C09 and C10).

A pending call is found by the hash of its binding. Confirmations are added, and a refusal is set, by
compare-and-set; the policy says when they are enough. Whoever executes the call claims it first, by compare-and-set
too: one set of signatures, one execution, and a refusal that came first stays where it is.

Every end of life is checked twice: by the store's clock, and here by the record (conflict C10), so that a store whose
clock stands still or whose expiry is off lengthens no life.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import TypeVar

import msgspec

from gateway.errors import StoreUnavailable, TokenRefused
from gateway.outcome.changes import Changes
from gateway.outcome.openings import count_opened
from gateway.outcome.refusal import Refusal
from gateway.outcome.spent import Spent
from gateway.outcome.view import View
from gateway.policy.decision import MAX_TOKEN_TTL_S, ConfirmObligation
from gateway.policy.question import Confirmation, ConsentFacts
from gateway.state.store import Space, Store

TOKEN_BYTES = 32
"""256 bits from the operating system's CSPRNG (R014)."""
OPEN_ATTEMPTS = 3
"""Tries to let a call wait: what stands in its way may end between the two looks, but not again and again."""
CONTINUATION_TTL_S = 600
"""Seconds a person has to answer what a target asked. No first phase: the call was countersigned before it left, so
invariant 3's cap on a handshake token does not apply."""
_Kept = TypeVar("_Kept")
_TOKEN = re.compile(r"[0-9a-f]{64}")
_CLAIMED = b"claimed"
"""What stands for a call from its claim until it is taken out. It reads as nothing that waits."""
_CLAIMED_TTL_S = 60.0
"""Far above one operation of the store: what is taken out after the claim is never somebody's new call."""


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """What exactly was asked, by whom, of which definition."""

    principal: str
    server: str
    tool: str
    definition_hash: str
    arguments_hash: str

    def key(self) -> str:
        """Store key of this binding: SHA-256 over an unambiguous encoding."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


class Continuation(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was allowed and sent, and waits for what its target asked of the host.

    ``facts`` is the consent it was allowed with: the signatures were used up when it left, and this is the same call.
    ``request_state`` is the target's own state, never shown to the host; ``parked`` names a call that is still open in
    this process, where the target speaks the older era and waits on its connection.
    """

    facts: ConsentFacts
    request_state: str | None = None
    parked: str | None = None


class GrantedHandshake(msgspec.Struct, frozen=True, kw_only=True):
    """What a token stands for. Times are unix seconds.

    ``view_hash`` is set where the token went out together with a form that showed this view inside the host: only
    for that picture may an answer that comes back with the token count. ``continuation`` is set where the token is
    no first phase at all, but the way back into a call that its target has begun. ``rounds``: how often the host had
    been told to come back for a confirmation when the token went out.
    """

    transaction_id: str
    binding: Binding
    revision: str
    granted_at: float
    expires_at: float
    view_hash: str | None = None
    continuation: Continuation | None = None
    rounds: int = 0


class Status(StrEnum):
    """Where a pending call stands. A refusal is final for as long as the call would have waited."""

    WAITING = "waiting"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    """Only in what ``deadlines.py`` keeps; what waits or was refused ends with its time."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A call that waits for a second party. Times are unix seconds. Holds the view, never the raw arguments."""

    transaction_id: str
    binding: Binding
    status: Status
    view: View
    obligation: ConfirmObligation
    data_class: int | None
    tier: str | None
    caller_issuer: str
    caller_subject: str
    handshake_at: float
    created_at: float
    expires_at: float
    confirmations: tuple[Confirmation, ...] = ()
    refused_by: str | None = None
    refusal: Refusal | None = None

    @property
    def key(self) -> str:
        """Name of this pending call in the store and in the console's addresses; no secret."""
        return self.binding.key()


class Waiting:
    """Tokens and pending calls over a store. Errors: ``StoreUnavailable``. ``refused`` hears of each transaction that a
    second party refused; it does not raise."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], float],
        token_ttl_cap_s: int = MAX_TOKEN_TTL_S,
        refused: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._spent = Spent()
        self._now = now
        self._refused = refused
        self._cap = min(token_ttl_cap_s, MAX_TOKEN_TTL_S)
        self.changes = Changes(self.find)

    # -- handshake tokens -------------------------------------------------------------------------------------
    async def grant(
        self,
        binding: Binding,
        *,
        transaction_id: str,
        revision: str,
        ttl_s: int,
        view_hash: str | None = None,
        rounds: int = 0,
    ) -> tuple[str, int]:
        """Mint a token. Returns it (64 hex digits) and its life in seconds: ``ttl_s``, 1 to the cap."""
        token = secrets.token_hex(TOKEN_BYTES)
        life = await self._grant(
            _digest(token), binding, transaction_id, revision, ttl_s, view_hash=view_hash, rounds=rounds
        )
        return token, life

    async def grant_repeat(self, binding: Binding, *, transaction_id: str, revision: str, ttl_s: int) -> int:
        """For a dialect that cannot carry a token: the next identical call of the same caller presents it."""
        return await self._grant(_repeat_key(binding), binding, transaction_id, revision, ttl_s)

    async def grant_continuation(
        self, binding: Binding, continuation: Continuation, *, transaction_id: str, revision: str
    ) -> str:
        """Mint the token that leads back into a call its target has begun: single-use and bound like any other."""
        token = secrets.token_hex(TOKEN_BYTES)
        now = self._now()
        granted = GrantedHandshake(
            transaction_id=transaction_id,
            binding=binding,
            revision=revision,
            granted_at=now,
            expires_at=now + CONTINUATION_TTL_S,
            continuation=continuation,
        )
        await self._store.put(
            Space.HANDSHAKE,
            _digest(token),
            msgspec.json.encode(granted),
            ttl_s=CONTINUATION_TTL_S,
            durable=False,
        )
        return token

    async def present(self, token: str) -> GrantedHandshake | None:
        """Burn a token. None: unknown, expired, used, or nothing that was ever a token (the store is not asked)."""
        if not _TOKEN.fullmatch(token):
            return None
        name = _digest(token)
        granted = self._granted(await self._take(name))
        return granted if granted is not None and self._spent.first(name) else None

    async def present_repeat(self, binding: Binding) -> GrantedHandshake | None:
        """Burn what :meth:`grant_repeat` left for exactly this binding."""
        return self._granted(await self._take(_repeat_key(binding)))

    async def _grant(
        self,
        key: str,
        binding: Binding,
        transaction_id: str,
        revision: str,
        ttl_s: int,
        *,
        view_hash: str | None = None,
        rounds: int = 0,
    ) -> int:
        life = max(1, min(ttl_s, self._cap))
        now = self._now()
        granted = GrantedHandshake(
            transaction_id=transaction_id,
            binding=binding,
            revision=revision,
            granted_at=now,
            expires_at=now + life,
            view_hash=view_hash,
            rounds=rounds,
        )
        # A power cut can only lose a token, never revive one that was used.
        await self._store.put(Space.HANDSHAKE, key, msgspec.json.encode(granted), ttl_s=life, durable=False)
        return life

    async def _take(self, key: str) -> bytes | None:
        # Whatever a token lets out is written down durably before it leaves (``transactions/journal.py``), and that
        # puts this on the disk too: a token that a power cut brings back has let nothing out.
        return await self._store.take(Space.HANDSHAKE, key, durable=False)

    def _granted(self, value: bytes | None) -> GrantedHandshake | None:
        granted = _read(value, GrantedHandshake)
        return granted if granted is not None and self._now() < granted.expires_at else None

    # -- pending calls ----------------------------------------------------------------------------------------
    async def open(self, pending: Pending) -> Pending:
        """Let a call wait; if the same call waits already, that one is returned and nothing changes.

        :raises TokenRefused: ``confirm.in_progress``: the same call is being carried out, or ends, this very moment;
            ``confirm.too_many``: this caller lets too many calls wait.
        """
        encoded = msgspec.json.encode(pending)
        for _ in range(OPEN_ATTEMPTS):
            life = pending.expires_at - self._now()
            if await self._store.add(Space.PENDING, pending.key, encoded, ttl_s=life):
                await count_opened(self._store, pending.binding.principal, pending.key)
                return pending
            found = await self.find(pending.key)
            if found is not None and self._now() < found.expires_at:
                return found
            if found is not None:
                await self._take_out(found)  # over by its own end; a store whose clock is behind has it still
        raise TokenRefused(
            "Exactly this call is being carried out at the moment; try again", code="confirm.in_progress"
        )

    async def find(self, key: str) -> Pending | None:
        """The call of that key as the store has it, or None. Its own end is not looked at (``expires_at``)."""
        return _read(await self._store.get(Space.PENDING, key), Pending)

    async def current(self, key: str) -> Pending | None:
        """The call that waits under that key now, or that was refused and would still wait; else None."""
        pending = await self.find(key)
        return pending if pending is not None and self._now() < pending.expires_at else None

    async def waiting(self, *, limit: int = 200) -> list[Pending]:
        """Everything that waits, or was refused and would still wait, oldest first."""
        found = [_read(value, Pending) for _, value in await self._store.entries(Space.PENDING, limit=limit)]
        now = self._now()
        alive = [one for one in found if one is not None and now < one.expires_at]
        return sorted(alive, key=lambda one: one.created_at)

    async def replace(self, old: Pending, new: Pending) -> bool:
        """Compare-and-set. False: somebody else moved it first."""
        life = new.expires_at - self._now()
        if life <= 0:
            return False
        replaced = await self._store.swap(
            Space.PENDING,
            old.key,
            expected=msgspec.json.encode(old),
            value=msgspec.json.encode(new),
            ttl_s=life,
        )
        if replaced:
            await self._moved(old.key, ended=new.status is Status.REFUSED)
            if new.status is Status.REFUSED and self._refused is not None:
                await self._refused(new.transaction_id)
        return replaced

    async def claim(self, pending: Pending) -> bool:
        """Take a confirmed call out for execution. True for exactly one of N concurrent claimants.

        What is taken must be, to the byte, what was judged: a record that changed in between (a refusal, another
        picture) is not executed and stays as it is. Taking it out first and comparing afterwards would lose the
        refusal, and with it the *no* that is final.
        """
        if pending.status is not Status.WAITING or self._now() >= pending.expires_at:
            return False
        return await self._take_out(pending)

    async def _take_out(self, pending: Pending) -> bool:
        """Exactly this record. False: it changed, or somebody else took it."""
        judged = msgspec.json.encode(pending)
        if not await self._store.swap(
            Space.PENDING, pending.key, expected=judged, value=_CLAIMED, ttl_s=_CLAIMED_TTL_S
        ):
            return False
        await self._store.take(Space.PENDING, pending.key)
        await self._moved(pending.key, ended=True)
        return True

    async def _moved(self, key: str, *, ended: bool) -> None:
        """Wake who waits for it; what ended before its time will not time out."""
        self.changes.tell(key)
        if ended:
            with suppress(StoreUnavailable):  # what was just written stands
                await self._store.take(Space.DEADLINE, key)


def _repeat_key(binding: Binding) -> str:
    return f"repeat:{binding.key()}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("ascii")).hexdigest()


def _read(value: bytes | None, kind: type[_Kept]) -> _Kept | None:
    if value is None:
        return None
    try:
        return msgspec.json.decode(value, type=kind)
    except ValueError:  # msgspec's own errors, and broken UTF-8
        return None
