"""The walk of this room: credentials -> caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from gateway.identity.caller import Caller, Proof
from gateway.identity.credentials import Credentials, PresentedProof, Secret
from gateway.identity.errors import Code, CredentialRefused

_PROVEN: Final = Proof(present=True, valid=True)


class Verifier(Protocol):
    """One way to recognise a token: a table, a signed JWT, an issuer's introspection endpoint."""

    async def verify(self, token: Secret, server: str) -> Caller | None:
        """The caller, or None when the token is not of this verifier's kind (the next one is asked).

        ``server``: which server behind the gateway the request is for, empty for the gateway's own URL.

        :raises CredentialRefused: the token is of this kind and no good. Final, except ``issuer_unknown``.
        :raises IssuerUnavailable: nobody can tell at the moment. Final: an attacker who can silence one
            verifier must not get to choose the next.
        """


class Proofs(Protocol):
    """Whether a request proves possession of the key that its token is bound to."""

    async def check(self, presented: PresentedProof, *, token: Secret, thumbprint: str) -> None:
        """Return when it does.

        :raises CredentialRefused: ``identity.proof_*``.
        :raises StoreUnavailable: nobody can tell whether the proof was used before.
        """


class Meter(Protocol):
    """Counts what recognised callers ask."""

    def count(self, caller: Caller) -> None:
        """:raises RateLimited: too often."""


class Identity:
    """Asks the verifiers in order. The first that recognises the token decides.

    1. No token: refused.
    2. The first caller a verifier names is the caller; the first refusal is the refusal.
    3. A token bound to a key is worth nothing without proof of that key; a proof is worth nothing without a token
       that is bound.

    ``proofs`` None: no proof can be checked, so no bound token is good. ``require_bound``: every token must be
    bound, static ones included (``dpop_bound_access_tokens_required``, RFC 9728 section 2).
    """

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        *,
        proofs: Proofs | None = None,
        require_bound: bool = False,
        meter: Meter | None = None,
    ) -> None:
        # An empty list would recognise nobody today and anybody after one careless change: refuse at start.
        if not verifiers:
            raise ValueError("identity needs at least one verifier: static tokens, or a trusted issuer")
        self._verifiers = tuple(verifiers)
        self._proofs = proofs
        self._require_bound = require_bound
        self._meter = meter

    async def identify(self, credentials: Credentials) -> Caller:
        """Who asks.

        What is *not* decided: whether the caller's scopes and roles suffice (policy).

        :raises CredentialRefused: nobody we know; see :class:`~gateway.identity.errors.Code`.
        :raises IssuerUnavailable: the answer cannot be had at the moment.
        :raises RateLimited: somebody we know, who asks too often. A body that is looked at before it is parsed counts
            twice.
        """
        caller = await self._identified(credentials)
        if self._meter is not None:
            self._meter.count(caller)
        return caller

    async def _identified(self, credentials: Credentials) -> Caller:
        if credentials.bearer is None:  # (1)
            raise CredentialRefused(Code.TOKEN_MISSING)
        caller = await self._recognise(credentials.bearer, credentials.server)  # (2)
        if caller.key_thumbprint is None:  # (3)
            # The scheme DPoP promises a binding (RFC 9449 section 7.1); taking the token without one would let
            # whoever stole it bring a key of his own.
            if credentials.scheme == "dpop" or self._require_bound:
                raise CredentialRefused(Code.TOKEN_UNBOUND)
            return caller
        # RFC 9449 section 7.2: a resource server must not take a DPoP-bound token as a plain bearer; a stolen
        # token would work without its key.
        if credentials.scheme != "dpop" or credentials.proof is None or self._proofs is None:
            raise CredentialRefused(Code.PROOF_MISSING)
        await self._proofs.check(
            credentials.proof, token=credentials.bearer, thumbprint=caller.key_thumbprint
        )
        return msgspec.structs.replace(caller, proof=_PROVEN)

    async def _recognise(self, token: Secret, server: str) -> Caller:
        refusal: CredentialRefused | None = None
        for verifier in self._verifiers:
            try:
                caller = await verifier.verify(token, server)
            except CredentialRefused as refused:
                # A stranger to this verifier may be known to the next one (two sets of issuers).
                if refused.code != Code.ISSUER_UNKNOWN:
                    raise
                refusal = refused
            else:
                if caller is not None:
                    return caller
        raise refusal or CredentialRefused(Code.TOKEN_INVALID, "no verifier recognises the token")
