"""The walk of this room: credentials -> caller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.identity.caller import Caller
from gateway.identity.credentials import Credentials, Secret
from gateway.identity.errors import Code, CredentialRefused


class Verifier(Protocol):
    """One way to recognise a token: a table, a signed JWT, an issuer's introspection endpoint."""

    async def verify(self, token: Secret) -> Caller | None:
        """The caller, or None when the token is not of this verifier's kind (the next one is asked).

        :raises CredentialRefused: the token is of this kind and no good. Final, except ``issuer_unknown``.
        :raises IssuerUnavailable: nobody can tell at the moment. Final: an attacker who can silence one
            verifier must not get to choose the next.
        """


class Identity:
    """Asks the verifiers in order. The first that recognises the token decides.

    1. No token: refused.
    2. The first caller a verifier names is the caller; the first refusal is the refusal.
    3. A token bound to a key is worth nothing without proof of that key.
    """

    def __init__(self, verifiers: Sequence[Verifier]) -> None:
        # An empty list would recognise nobody today and anybody after one careless change: refuse at start.
        if not verifiers:
            raise ValueError("identity needs at least one verifier: static tokens, or a trusted issuer")
        self._verifiers = tuple(verifiers)

    async def identify(self, credentials: Credentials) -> Caller:
        """Who asks.

        What is *not* decided: whether the caller's scopes and roles suffice (policy).

        :raises CredentialRefused: nobody we know; see :class:`~gateway.identity.errors.Code`.
        :raises IssuerUnavailable: the answer cannot be had at the moment.
        """
        if credentials.bearer is None:  # (1)
            raise CredentialRefused(Code.TOKEN_MISSING)
        caller = await self._recognise(credentials.bearer)  # (2)
        # (3) RFC 9449 section 7.1: a resource server must not take a DPoP-bound token as a plain bearer; a
        # stolen token would work without its key.
        if caller.key_thumbprint is not None and not caller.proof.valid:
            raise CredentialRefused(Code.PROOF_MISSING)
        return caller

    async def _recognise(self, token: Secret) -> Caller:
        refusal: CredentialRefused | None = None
        for verifier in self._verifiers:
            try:
                caller = await verifier.verify(token)
            except CredentialRefused as refused:
                # A stranger to this verifier may be known to the next one (two sets of issuers).
                if refused.code != Code.ISSUER_UNKNOWN:
                    raise
                refusal = refused
            else:
                if caller is not None:
                    return caller
        raise refusal or CredentialRefused(Code.TOKEN_INVALID, "no verifier recognises the token")
