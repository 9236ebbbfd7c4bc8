"""What the identity provider refuses, with the words of RFC 6749 section 5.2 and a stable code of our own.

::

    OAuthRefused      error                       code                      HTTP
                      invalid_request             idp.invalid_request       400
                      invalid_client              idp.invalid_client        401
                      unauthorized_client         idp.not_approved          400
                      invalid_scope               idp.invalid_scope         400
                      invalid_target              idp.invalid_target        400   (RFC 8707 section 2)
                      unsupported_grant_type      idp.unsupported_grant     400
                      temporarily_unavailable     idp.too_many              429
    IdpRefused        (of an operator's command)  idp.*                     400

Messages name what is wrong and what to do, never a secret and never words of the request.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Final

from gateway.errors import CountersignError, MalformedRequest, Unavailable


class Refusal(StrEnum):
    """Each reason to refuse a request; the values are public and stable."""

    INVALID_REQUEST = "idp.invalid_request"
    INVALID_CLIENT = "idp.invalid_client"
    NOT_APPROVED = "idp.not_approved"
    INVALID_SCOPE = "idp.invalid_scope"
    INVALID_TARGET = "idp.invalid_target"
    UNSUPPORTED_GRANT = "idp.unsupported_grant"
    FOREIGN_TOOL = "idp.foreign_tool"
    TOO_MANY = "idp.too_many"


_ERRORS: Final = {
    Refusal.INVALID_REQUEST: ("invalid_request", 400),
    Refusal.INVALID_CLIENT: ("invalid_client", 401),
    Refusal.NOT_APPROVED: ("unauthorized_client", 400),
    Refusal.INVALID_SCOPE: ("invalid_scope", 400),
    Refusal.INVALID_TARGET: ("invalid_target", 400),
    Refusal.UNSUPPORTED_GRANT: ("unsupported_grant_type", 400),
    Refusal.FOREIGN_TOOL: ("invalid_request", 400),
    Refusal.TOO_MANY: ("temporarily_unavailable", 429),
}


class OAuthRefused(CountersignError):
    """A request over HTTP that is not granted. ``retry_after_s`` only where waiting helps."""

    http_status: ClassVar[int] = 400

    def __init__(self, refusal: Refusal, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message, code=refusal.value)
        self.refusal = refusal
        self.error, self.status = _ERRORS[refusal]
        self.retry_after_s = retry_after_s


class IdpRefused(MalformedRequest):
    """What an operator, or somebody who registers, asked for and cannot have."""

    code = "idp.refused"


class KeyMissing(Unavailable):
    """The registry names a signing key whose private half is not on this machine, or is not its half."""

    code = "idp.key_missing"
