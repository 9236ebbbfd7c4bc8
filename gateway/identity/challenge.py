"""What a refused caller is told about how to get in: the header fields of 401 and 403. Pure.

Each scheme has a field of its own: a list of challenges in one value is read wrongly by half of the clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gateway.errors import CountersignError, Forbidden, RateLimited, Unauthenticated
from gateway.identity.errors import CredentialRefused
from gateway.identity.metadata import ChallengeError, www_authenticate

_ERRORS: Mapping[str | None, ChallengeError | None] = {
    None: None,
    "invalid_request": "invalid_request",
    "invalid_dpop_proof": "invalid_dpop_proof",
    "use_dpop_nonce": "use_dpop_nonce",
}

HeaderFields = tuple[tuple[bytes, bytes], ...]


class InsufficientScope(Forbidden):
    """The token lacks scopes. ``scopes``: all that this very call needs, as the caller's issuer names them."""

    code = "identity.scope_missing"

    def __init__(self, scopes: Sequence[str]) -> None:
        super().__init__(
            "The access token lacks a scope; request one with all the scopes of the challenge.",
            data={"scopes": list(scopes)},
        )
        self.scopes = tuple(scopes)


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """How one gets in here.

    ``metadata``: server name (empty: the gateway itself) -> URL of its RFC 9728 document; empty with static tokens
    only. ``scopes``: what a first token needs. ``algorithms``: of DPoP proofs, empty where none is checked.
    ``names``: issuer -> what it calls a scope of the policy; None where it uses the policy's own names. ``nonce``:
    gives the value of ``DPoP-Nonce``, where proofs must carry one.
    """

    metadata: Mapping[str, str] = {}
    scopes: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = ()
    bound_only: bool = False
    names: Mapping[str, Mapping[str, str] | None] = {}
    nonce: Callable[[], str] | None = None

    def challenge(self, error: CountersignError, server: str) -> HeaderFields:
        """The fields for an error; none for one that neither better credentials nor time would help."""
        metadata = self.metadata.get(server) or self.metadata.get("")
        if isinstance(error, InsufficientScope):
            return self._insufficient(metadata, error.scopes)
        if isinstance(error, RateLimited):
            return ((b"retry-after", str(error.retry_after_s).encode()),)
        if not isinstance(error, Unauthenticated):
            return ()
        about_proof = isinstance(error, CredentialRefused) and error.about_proof
        said = error.oauth_error if isinstance(error, CredentialRefused) else "invalid_token"
        code = _ERRORS.get(said, "invalid_token")
        fields: list[tuple[bytes, bytes]] = []
        # A client that holds a bound token, or must get one, is not sent after a bearer token.
        if not (self.bound_only or about_proof) or not self.algorithms:
            fields.append(_field(code, metadata, self.scopes, ()))
        if self.algorithms:
            mentioned = code if about_proof or self.bound_only else None
            fields.append(_field(mentioned, metadata, self.scopes, self.algorithms))
        if about_proof and self.nonce is not None:
            fields.append((b"dpop-nonce", self.nonce().encode()))
        return tuple(fields)

    def _insufficient(self, metadata: str | None, scopes: Sequence[str]) -> HeaderFields:
        """In each scheme that is taken here: a bound token must not be answered by a call for a bearer token."""
        bearer = _field("insufficient_scope", metadata, scopes, ())
        if not self.algorithms:
            return (bearer,)
        dpop = _field("insufficient_scope", metadata, scopes, self.algorithms)
        return (dpop,) if self.bound_only else (bearer, dpop)

    def step_up(self, issuer: str, scopes: Sequence[str]) -> InsufficientScope | None:
        """The refusal that asks for scopes of the policy; None where the caller's issuer cannot grant them.

        Step-up is for OAuth callers: who has a static token would be sent to fetch what nobody hands out.
        """
        if not scopes or issuer not in self.names:
            return None
        names = self.names[issuer]
        wanted = [scope if names is None else names.get(scope) for scope in scopes]
        known = [one for one in wanted if one is not None]
        return InsufficientScope(known) if len(known) == len(wanted) else None


def _field(
    error: ChallengeError | None, metadata: str | None, scopes: Sequence[str], algorithms: Sequence[str]
) -> tuple[bytes, bytes]:
    value = www_authenticate(error, resource_metadata=metadata, scope=scopes, dpop_algorithms=algorithms)
    return (b"www-authenticate", value.encode("latin-1"))
