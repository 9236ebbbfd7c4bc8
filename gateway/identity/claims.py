"""Verified claims -> caller, or a refusal (RFC 9068 section 4, RFC 7519 section 4.1). Pure.

What is *not* checked here: the signature. Hand in the payload that the signature covered and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from gateway.identity.caller import Caller
from gateway.identity.errors import Code, CredentialRefused
from gateway.identity.issuer import TrustedIssuer

MAX_NAME_CHARS: Final = 256
"""Characters of a subject, client id, scope or role. OpenID Connect Core section 2 allows a subject 255."""
MAX_LIST_ENTRIES: Final = 256
"""Audiences, scopes or roles of one token; each goes into every question to the policy engine."""
MAX_NUMERIC_DATE: Final = 2**40
"""Seconds, some 35 000 years: beyond lies milliseconds taken for seconds, or an attack on date arithmetic."""

_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")
"""RFC 6749 section 3.3 scope-token."""
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
"""SHA-256 in base64url without padding."""


def caller_from_claims(
    claims: Mapping[str, Any], *, trusted: TrustedIssuer, audience: str, now: float, server: str = ""
) -> tuple[Caller, int]:
    """The caller, and when the token expires (unix seconds).

    A token is for the whole gateway (``audience``), or for the one server of it that the request goes to.

    :raises CredentialRefused: ``token_invalid``, ``token_expired``, ``token_not_yet_valid``,
        ``audience_mismatch``, ``issuer_unknown``.
    """
    if claims.get("iss") != trusted.issuer:
        raise CredentialRefused(Code.ISSUER_UNKNOWN)
    _check_audience(claims, trusted, audience, server)
    expires = _check_times(claims, trusted=trusted, now=now)
    return _caller(claims, trusted), expires


def caller_from_introspection(
    answer: Mapping[str, Any], *, trusted: TrustedIssuer, audience: str, now: float, server: str = ""
) -> tuple[Caller | None, int | None]:
    """The issuer's word on a token (RFC 7662 section 2.2) -> the caller, and when the token expires if it says so.

    ``active`` is the boolean true, or there is no caller. All other members are optional in the RFC; here ``aud``
    and ``sub`` are not: without an audience any token of the issuer would do.

    :raises CredentialRefused: as :func:`caller_from_claims`.
    """
    if answer.get("active") is not True:
        return None, None
    if answer.get("iss", trusted.issuer) != trusted.issuer:
        raise CredentialRefused(Code.TOKEN_INVALID, "the introspected token is another issuer's")
    _check_audience(answer, trusted, audience, server)
    expires = _date(answer, "exp") if "exp" in answer else None
    if expires is not None and now >= expires:
        raise CredentialRefused(Code.TOKEN_EXPIRED)
    begins = max((_date(answer, name) for name in ("iat", "nbf") if name in answer), default=0)
    if begins > now + trusted.leeway_s:
        raise CredentialRefused(Code.TOKEN_NOT_YET_VALID)
    caller = _caller(answer, trusted)
    kind = answer.get("token_type")
    if isinstance(kind, str) and kind.lower() == "dpop" and caller.key_thumbprint is None:
        raise CredentialRefused(
            Code.TOKEN_INVALID, "the token is bound, but the issuer does not say to which key"
        )
    return caller, expires


def _check_audience(claims: Mapping[str, Any], trusted: TrustedIssuer, audience: str, server: str) -> None:
    named = _names(claims, "aud")
    if (trusted.audience or audience) in named:
        return
    if not server or trusted.audience is not None or f"{audience}/{server}" not in named:
        raise CredentialRefused(Code.AUDIENCE_MISMATCH)


def _caller(claims: Mapping[str, Any], trusted: TrustedIssuer) -> Caller:
    scopes = _at(claims, trusted.scope_claim) if trusted.scope_claim else _scopes(claims)
    return Caller(
        issuer=trusted.issuer,
        subject=_name(claims.get("sub"), "sub"),
        client_id=_client_id(claims),
        scopes=_mapped(scopes, trusted.scope_map),
        roles=_mapped(_roles(claims, trusted.role_claim), trusted.role_map),
        key_thumbprint=_key_thumbprint(claims),
    )


def _mapped(names: tuple[str, ...], mapping: Mapping[str, str] | None) -> tuple[str, ...]:
    """The names that the policy knows; what the operator did not map grants nothing."""
    if mapping is None:
        return names
    return tuple(dict.fromkeys(mapping[name] for name in names if name in mapping))


def _check_times(claims: Mapping[str, Any], *, trusted: TrustedIssuer, now: float) -> int:
    expires, issued = _date(claims, "exp"), _date(claims, "iat")
    not_before = _date(claims, "nbf") if "nbf" in claims else issued
    if now >= expires:
        raise CredentialRefused(Code.TOKEN_EXPIRED)
    if max(not_before, issued) > now + trusted.leeway_s:
        raise CredentialRefused(Code.TOKEN_NOT_YET_VALID)
    if not 0 < expires - issued <= trusted.max_lifetime_s:
        raise CredentialRefused(Code.TOKEN_INVALID, "the token lives longer than this issuer's may")
    return expires


def _date(claims: Mapping[str, Any], name: str) -> int:
    """C58: ``exp`` of 0, "soon", 1e400 or nothing at all must not read as "never"."""
    value = claims.get(name)
    if type(value) is not int or not 0 < value <= MAX_NUMERIC_DATE:
        raise CredentialRefused(Code.TOKEN_INVALID, f"{name} is missing or no sensible integer")
    return value


def _name(value: object, claim: str) -> str:
    """Printable: an invisible or bidirectional character makes two callers look like one to an approver."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_CHARS or not value.isprintable():
        raise CredentialRefused(
            Code.TOKEN_INVALID, f"{claim} is missing or no printable string of sensible length"
        )
    return value


def _names(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """A string or a list of strings; absent is empty."""
    value = claims.get(claim)
    if value is None:
        return ()
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list) or len(entries) > MAX_LIST_ENTRIES:
        raise CredentialRefused(Code.TOKEN_INVALID, f"{claim} is no list of sensible length")
    return tuple(dict.fromkeys(_name(entry, claim) for entry in entries))


def _client_id(claims: Mapping[str, Any]) -> str | None:
    """``client_id`` (RFC 9068) or ``azp`` (OpenID Connect). Two that differ: nobody knows which one acts."""
    found = {_name(claims[claim], claim) for claim in ("client_id", "azp") if claims.get(claim) is not None}
    if len(found) > 1:
        raise CredentialRefused(Code.TOKEN_INVALID, "client_id and azp differ")
    return found.pop() if found else None


def _scopes(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """``scope`` (RFC 8693 section 4.2) or ``scp`` (string or list). Both must agree (C27)."""
    spellings = [
        _scope_tokens(claims[claim], claim) for claim in ("scope", "scp") if claims.get(claim) is not None
    ]
    if len(spellings) == 2 and set(spellings[0]) != set(spellings[1]):
        raise CredentialRefused(Code.TOKEN_INVALID, "scope and scp differ")
    return spellings[0] if spellings else ()


def _scope_tokens(value: object, claim: str) -> tuple[str, ...]:
    entries = [scope for scope in value.split(" ") if scope] if isinstance(value, str) else value
    if not isinstance(entries, list) or len(entries) > MAX_LIST_ENTRIES:
        raise CredentialRefused(
            Code.TOKEN_INVALID, f"{claim} is neither a string nor a list of sensible length"
        )
    if not all(isinstance(entry, str) and _SCOPE.fullmatch(entry) for entry in entries):
        raise CredentialRefused(Code.TOKEN_INVALID, f"{claim} holds something that is no scope")
    return tuple(dict.fromkeys(entries))


def _roles(claims: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """The list at the configured path; nothing there means no roles."""
    if not path:
        return ()
    here = _parent(claims, path)
    return _names(here, path[-1]) if isinstance(here, Mapping) else ()


def _at(claims: Mapping[str, Any], path: tuple[str, ...]) -> tuple[str, ...]:
    """The scopes at the configured path: a list, or one string with blanks between."""
    here = _parent(claims, path)
    value = here.get(path[-1]) if isinstance(here, Mapping) else None
    return () if value is None else _scope_tokens(value, path[-1])


def _parent(claims: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    here: Any = claims
    for member in path[:-1]:
        here = here.get(member) if isinstance(here, Mapping) else None
    return here


def _key_thumbprint(claims: Mapping[str, Any]) -> str | None:
    """``cnf.jkt`` (RFC 9449 section 6.1). Any other confirmation (``x5t#S256``, RFC 8705) cannot be checked
    here, and a bound token whose binding nobody checks is a bearer token for whoever stole it."""
    confirmation = claims.get("cnf")
    if confirmation is None:
        return None
    if not isinstance(confirmation, dict) or set(confirmation) != {"jkt"}:
        raise CredentialRefused(Code.TOKEN_INVALID, "the token is bound in a way that cannot be checked here")
    thumbprint = confirmation["jkt"]
    if not isinstance(thumbprint, str) or _THUMBPRINT.fullmatch(thumbprint) is None:
        raise CredentialRefused(Code.TOKEN_INVALID, "cnf.jkt is no SHA-256 thumbprint")
    return thumbprint
