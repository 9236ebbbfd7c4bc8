"""Who asks, as a frozen value: the only thing later rooms learn about a token. Pure."""

from __future__ import annotations

import msgspec


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """Whether this request proved possession of the caller's key. Absent and invalid are different facts."""

    present: bool = False
    valid: bool = False


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """An authenticated caller (``caller`` of the question to the policy).

    ``issuer`` is the exact configured string, ``subject`` means something only together with it.
    ``key_thumbprint`` is the RFC 7638 SHA-256 thumbprint a token is bound to (RFC 9449 section 6.1,
    ``cnf.jkt``). What is *not* said here: that the caller may do anything. That is the policy's business.
    """

    issuer: str
    subject: str
    client_id: str | None = None
    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    key_thumbprint: str | None = None
    proof: Proof = Proof()

    @property
    def principal(self) -> str:
        """A stable name to bind handshakes, sessions and approvals to: a JSON array of issuer and subject.

        Not ``issuer + "|" + subject``: a subject that holds the separator would be two principals at once.
        """
        return msgspec.json.encode((self.issuer, self.subject)).decode()
