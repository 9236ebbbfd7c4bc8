"""Definitions -> verdicts: token and signature, from memory where that still stands. No exception leaves this module.

=========================  =====================================================================
neither token nor signature  unverified, ``token_missing``
token good                   verified, evidence ``token``; with a good signature ``signature``
token not good               token_invalid
signature not good           signature_invalid: whatever is present must verify (C15)
signature good, no token     verified only if the operator said so for that key; else unverified
nobody is trusted at all     unverified: a gateway without issuers and keys has nothing to hold it to
=========================  =====================================================================

Listings are verified a few at a time and each for itself: a tool that fails costs no other its verdict (R155). Where
memory answers, nothing waits.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from gateway.catalog.definition import Definition
from gateway.catalog.tool import Etdi, EtdiStatus
from gateway.catalog.verification import UNPROVEN, Verdict
from gateway.etdi.cache import VerdictCache, hashed, key_of
from gateway.etdi.degradation import (
    DegradationRules,
    Success,
    critical_permission,
    degraded,
)
from gateway.etdi.diagnostics import failure_of
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.guarded import GuardedTokens
from gateway.etdi.signature import check_signature
from gateway.etdi.standing import KeyRegistry, Signed, together
from gateway.etdi.token import IssuerKeys, Proven
from gateway.etdi.trust import SIGNATURE_ALGORITHMS, SignatureAlgorithm, Trust

REFUSED_S: Final = 300.0
"""Seconds, at most, that a definitive refusal is kept; a success may be kept longer (R154)."""
DEGRADED_S: Final = 30.0
"""Seconds until a degraded verdict is looked into again."""
_SKEW_S: Final = 1.0
"""How far a clock may jump back before what it stamped counts as from the future, which is old."""
_log = logging.getLogger("countersign.etdi")

Tell = Callable[[str, Mapping[str, Any]], None]


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How verification goes about it. ``oauth_enabled``: without it tokens are not looked at, and signatures alone can
    verify. ``prefer_oauth``: which of two failures is reported."""

    oauth_enabled: bool = True
    prefer_oauth: bool = True
    algorithms: tuple[SignatureAlgorithm, ...] = SIGNATURE_ALGORITHMS
    caching: bool = True
    cache_ttl_s: Annotated[float, Meta(gt=0, le=24 * 3600)] = 3600.0
    max_entries: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    max_concurrent: Annotated[int, Meta(ge=1, le=64)] = 5
    degradation: DegradationRules = DegradationRules()
    log_tool_data: bool = False


class _Basis(NamedTuple):
    """What a success rests on. ``expires``: the token's."""

    keys: IssuerKeys | None
    generation: int
    expires: float


class EtdiVerifier:
    """The catalog's :class:`~gateway.catalog.verification.DefinitionVerifier`.

    ``sensitive``: whether a server's tool is of the classes 1 to 3; such a tool never degrades. ``tell`` hears of every
    degradation that was attempted, and of what became of it (R172). ``clock`` gives unix seconds.
    """

    def __init__(
        self,
        trust: Trust,
        tokens: GuardedTokens,
        rules: Rules = Rules(),  # noqa: B008 - frozen
        *,
        sensitive: Callable[[str, str], bool],
        clock: Callable[[], float] = time.time,
        tell: Tell | None = None,
        registry: KeyRegistry | None = None,
    ) -> None:
        self._trust = trust
        self._tokens = tokens
        self._rules = rules
        self._sensitive = sensitive
        self._clock = clock
        self._tell = tell or _logged
        self._registry = registry
        # Anybody can make up definitions that are refused; they have a place of their own to fill.
        self._proven = VerdictCache(rules.max_entries)
        self._refused = VerdictCache(rules.max_entries)

    async def verify(self, server: str, definitions: Sequence[Definition]) -> Sequence[Verdict]:
        """See :class:`~gateway.catalog.verification.DefinitionVerifier`."""
        verdicts: list[Verdict | None] = [self._at_once(one) for one in definitions]
        cold = [index for index, verdict in enumerate(verdicts) if verdict is None]
        if cold:
            slots = asyncio.Semaphore(self._rules.max_concurrent)
            found = await asyncio.gather(
                *(self._slotted(server, definitions[index], slots) for index in cold)
            )
            for index, verdict in zip(cold, found, strict=True):
                verdicts[index] = verdict
        return [verdict or UNPROVEN for verdict in verdicts]

    def stands(self, verdict: Verdict) -> bool:
        """See :class:`~gateway.catalog.verification.DefinitionVerifier`. A dozen comparisons."""
        if not verdict.since - _SKEW_S <= self._clock() < verdict.until:
            return False
        if verdict.standing is not None and verdict.standing.over:
            return False
        basis = verdict.basis
        if basis is None or basis.keys is None:
            return True
        return basis.keys.generation == basis.generation and bool(basis.keys.current())

    def clear(self) -> None:
        """Forget every verdict (R151)."""
        self._proven.clear()
        self._refused.clear()

    def forget_tool(self, tool_id: str) -> None:
        """Forget every verdict about exactly this tool."""
        self._proven.forget_tool(tool_id)
        self._refused.forget_tool(tool_id)

    def _at_once(self, definition: Definition) -> Verdict | None:
        """What needs neither a key nor a question."""
        block = definition.block
        if not self._trust:
            return _UNVERIFIED[EtdiCode.TOKEN_MISSING if block.oauth is None else EtdiCode.PROVIDER_UNTRUSTED]
        has_token = self._rules.oauth_enabled and block.oauth is not None and block.oauth.token is not None
        if not has_token and block.signature is None:
            return _UNVERIFIED[EtdiCode.TOKEN_MISSING]
        if not self._rules.caching:
            return None
        key = key_of(definition, self._trust)
        for cache in (self._proven, self._refused):
            verdict = cache.get(key)
            if verdict is not None and self.stands(verdict):
                return verdict
        return None

    async def _slotted(self, server: str, definition: Definition, slots: asyncio.Semaphore) -> Verdict:
        async with slots:
            await asyncio.sleep(0)  # a thousand signatures in a row must not hold up everybody's calls
            try:
                return await self._looked_into(server, definition)
            except Exception:  # noqa: BLE001
                # Isolation: whatever this was, it is one tool's trouble. The log has it, the caller does not (R173).
                _log.exception("verifying a definition of %s failed", server)
                problem = NotVerified(EtdiCode.UNEXPECTED_ERROR, definitive=False)
                return self._failed(server, definition, EtdiStatus.TOKEN_INVALID, problem)

    async def _looked_into(self, server: str, definition: Definition) -> Verdict:
        token = await self._token(definition)
        signature = await self._signature(definition)
        problems = [
            (EtdiStatus.TOKEN_INVALID, token),
            (EtdiStatus.SIGNATURE_INVALID, signature),
        ]
        for status, problem in problems if self._rules.prefer_oauth else reversed(problems):
            if isinstance(problem, NotVerified):
                return self._failed(server, definition, status, problem)
        proven = token if isinstance(token, Proven) else None
        signed = signature if isinstance(signature, Signed) else None
        if proven is None and (
            signed is None or (self._rules.oauth_enabled and not signed.key.without_token)
        ):
            return _UNVERIFIED[EtdiCode.TOKEN_MISSING]
        return self._verified(definition, proven, signed)

    async def _token(self, definition: Definition) -> Proven | NotVerified | None:
        oauth = definition.block.oauth
        if not self._rules.oauth_enabled or oauth is None or oauth.token is None:
            return None
        try:
            return await self._tokens.verify(definition)
        except NotVerified as problem:
            return problem

    async def _signature(self, definition: Definition) -> Signed | NotVerified | None:
        if definition.block.signature is None:
            return None
        try:
            key = check_signature(definition, self._trust, self._rules.algorithms, now=self._clock())
            return Signed(key, None if self._registry is None else await self._registry.key_standing(key))
        except NotVerified as problem:
            return problem

    def _verified(self, definition: Definition, proven: Proven | None, signed: Signed | None) -> Verdict:
        now = self._clock()
        until = now + self._rules.cache_ttl_s
        basis = _Basis(None, 0, float("inf"))
        if proven is not None:
            basis, until = _Basis(proven.keys, proven.generation, proven.expires), min(until, proven.until)
        if signed is not None and signed.key.expires is not None:
            until = min(until, float(signed.key.expires))
        evidence = "token" if signed is None else "signature"
        verdict = Verdict(
            etdi=Etdi(status=EtdiStatus.VERIFIED, evidence=evidence),
            since=now,
            until=until,
            basis=basis,
            standing=together(proven and proven.standing, signed and signed.standing),
        )
        self._proven.put(key_of(definition, self._trust), verdict, tool=_tool(definition))
        return verdict

    def _failed(
        self, server: str, definition: Definition, status: EtdiStatus, problem: NotVerified
    ) -> Verdict:
        """Kept if it is final; degraded if the operator wants that and it may be."""
        now = self._clock()
        failure = failure_of(definition, problem, now=now)
        key = key_of(definition, self._trust)
        if problem.definitive:
            asks = list(definition.permissions) if self._rules.log_tool_data else "hidden"
            words = server, definition.name, definition.version, asks, problem.code, problem.text
            _log.warning("server %s tool %r version %s permissions %s: %s: %s", *words)
            verdict = Verdict(
                etdi=Etdi(status=status, error=problem.code.value),
                since=now,
                until=now + min(REFUSED_S, self._rules.cache_ttl_s),
                failure=failure,
            )
            if problem.code is not EtdiCode.TOKEN_EXPIRED:  # that may degrade, and costs no signature
                self._refused.put(key, verdict, tool=_tool(definition))
        else:
            # Nobody knows: it holds for this listing, and the next one asks again.
            verdict = Verdict(etdi=Etdi(status=status, error=problem.code.value), since=now, failure=failure)
        if status is not EtdiStatus.TOKEN_INVALID:
            return verdict
        return self._degraded(server, definition, problem, key, verdict)

    def _degraded(
        self, server: str, definition: Definition, problem: NotVerified, key: bytes, verdict: Verdict
    ) -> Verdict:
        now = self._clock()
        before = self._proven.get(key)
        last = None
        over = before is not None and before.standing is not None and before.standing.over
        if before is not None and before.basis is not None and not over:
            keys = before.basis.keys
            last = Success(
                at=before.since,
                expires=before.basis.expires,
                key_stands=keys is None or keys.generation == before.basis.generation,
            )
        critical = self._sensitive(server, definition.name) or critical_permission(definition.permissions)
        answer = degraded(problem.code, self._rules.degradation, last=last, critical=critical, now=now)
        details = {"server": server, "tool": definition.name, "code": problem.code.value}
        if self._rules.degradation.mode != "strict":
            self._tell("verification_degradation_attempted", details)
        if not answer.can_proceed:
            return verdict
        self._tell(str(answer.event), {**details, "reason": answer.reason})
        status = EtdiStatus.UNVERIFIED if answer.legacy or before is None else EtdiStatus.VERIFIED
        evidence = before.etdi.evidence if before is not None and status is EtdiStatus.VERIFIED else None
        return Verdict(
            etdi=Etdi(status=status, evidence=evidence, error=problem.code.value),
            since=now,
            until=now + DEGRADED_S,
            failure=verdict.failure,
        )


_UNVERIFIED: Final = {
    code: Verdict(etdi=Etdi(error=code.value))
    for code in (EtdiCode.TOKEN_MISSING, EtdiCode.PROVIDER_UNTRUSTED)
}
"""What most tools are; nothing is made anew for them."""


def _tool(definition: Definition) -> bytes:
    return hashed(definition.block.id or definition.name)


def _logged(event: str, details: Mapping[str, Any]) -> None:
    _log.warning("%s: %s", event, details)
