"""Why a credential is refused: stable codes, and messages that say no more than a caller may know.

Two audiences, two texts. The ``message`` goes to whoever sent the credential: one fixed sentence per code.
``because`` goes to the audit and the operator: also a fixed sentence, never a part of the token, so that
neither can carry a secret or an attacker's words into a log.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.errors import Unauthenticated, Unavailable


class Code(StrEnum):
    """Each reason to refuse a credential. The values are public and stable."""

    TOKEN_MISSING = "identity.token_missing"  # noqa: S105 - a code, not a credential
    TOKEN_MALFORMED = "identity.token_malformed"  # noqa: S105
    TOKEN_INVALID = "identity.token_invalid"  # noqa: S105
    TOKEN_EXPIRED = "identity.token_expired"  # noqa: S105
    TOKEN_NOT_YET_VALID = "identity.token_not_yet_valid"  # noqa: S105
    ISSUER_UNKNOWN = "identity.issuer_unknown"
    AUDIENCE_MISMATCH = "identity.audience_mismatch"
    PROOF_MISSING = "identity.proof_missing"
    PROOF_INVALID = "identity.proof_invalid"
    PROOF_REPLAYED = "identity.proof_replayed"
    PROOF_NONCE = "identity.proof_nonce"
    TOKEN_UNBOUND = "identity.token_unbound"  # noqa: S105


_MESSAGES: Final = {
    Code.TOKEN_MISSING: "This gateway needs an access token; send it as `Authorization: Bearer <token>`.",
    Code.TOKEN_MALFORMED: "The Authorization header is not one well-formed bearer token (RFC 6750).",
    Code.TOKEN_INVALID: "The access token is not valid here; get a new one.",
    Code.TOKEN_EXPIRED: "The access token has expired; get a new one.",
    Code.TOKEN_NOT_YET_VALID: "The access token is not valid yet; check the clock of its issuer.",
    Code.ISSUER_UNKNOWN: "The access token comes from an issuer that this gateway does not trust.",
    Code.AUDIENCE_MISMATCH: "The access token is for another service; request one for this gateway.",
    Code.PROOF_MISSING: "The access token is bound to a key; this request did not prove possession of it.",
    Code.PROOF_INVALID: "The DPoP proof does not fit this request and this access token (RFC 9449 section 4.3).",
    Code.PROOF_REPLAYED: "The DPoP proof was used before; sign a new one for each request.",
    Code.PROOF_NONCE: "The DPoP proof must carry the nonce of the DPoP-Nonce header.",
    Code.TOKEN_UNBOUND: "The access token is bound to no key; this request needs one that is.",
}


_ABOUT_PROOF: Final = frozenset(
    {Code.PROOF_MISSING, Code.PROOF_INVALID, Code.PROOF_REPLAYED, Code.PROOF_NONCE, Code.TOKEN_UNBOUND}
)


class CredentialRefused(Unauthenticated):
    """The credential does not say who asks. HTTP 401."""

    def __init__(self, code: Code, because: str | None = None) -> None:
        super().__init__(_MESSAGES[code], code=code.value)
        self.because = because or _MESSAGES[code]

    @property
    def oauth_error(self) -> str | None:
        """The ``error`` of WWW-Authenticate; None when no credential came (RFC 6750 section 3.1)."""
        if self.code == Code.TOKEN_MISSING:
            return None
        match self.code:
            case Code.TOKEN_MALFORMED:
                return "invalid_request"
            case Code.PROOF_INVALID | Code.PROOF_REPLAYED:
                return "invalid_dpop_proof"  # RFC 9449 section 7.1
            case Code.PROOF_NONCE:
                return "use_dpop_nonce"  # RFC 9449 section 9
            case _:
                return "invalid_token"

    @property
    def about_proof(self) -> bool:
        """Whether a DPoP proof, and not the token, is what was wrong: the answer goes into that challenge."""
        return self.code in _ABOUT_PROOF


class IssuerUnavailable(Unavailable):
    """The issuer's keys, or its word on a token, cannot be had, so nobody knows whether the token is good.

    503 and not 401: a 401 would make every client throw a good token away while an identity provider
    restarts.
    """

    code = "identity.unavailable"

    def __init__(self) -> None:
        super().__init__("The access token cannot be checked at the moment; try again shortly.")
