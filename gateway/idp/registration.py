"""A registration as it comes in over HTTP, and a provider's key as it is handed out (R116, R120). Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from gateway.door import strict_json
from gateway.errors import MalformedRequest
from gateway.idp.errors import IdpRefused
from gateway.idp.provider import About, Provider, Status
from gateway.idp.public_key import pem_of

MEMBERS: Final = {
    "name": "name",
    "description": "description",
    "contactEmail": "contact_email",
    "website": "website",
    "callbackUrl": "callback_url",
}


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """Who wants to register, and the public key (PEM)."""

    about: About
    public_key: str


class NoSuchKey(MalformedRequest):
    """There is no such provider, or no key of it that vouches."""

    code = "idp.no_active_key"
    http_status = 404


def read_registration(body: bytes) -> Registration:
    """The members of R116, strings, no others. :raises IdpRefused: naming what is wrong."""
    try:
        parsed: Any = strict_json.parse(body)
    except MalformedRequest:
        raise IdpRefused("The registration is not strict JSON.", code="idp.registration") from None
    known = {*MEMBERS, "publicKey"}
    if not isinstance(parsed, dict) or not known.issuperset(parsed):
        raise IdpRefused(
            f"A registration is an object of {', '.join(sorted(known))}.", code="idp.registration"
        )
    if not all(isinstance(value, str) for value in parsed.values()) or "name" not in parsed:
        raise IdpRefused("The members are strings, and name is one of them.", code="idp.registration")
    about = About(**{ours: parsed[theirs] for theirs, ours in MEMBERS.items() if theirs in parsed})
    return Registration(about=about.checked(), public_key=parsed.get("publicKey", ""))


def registered_answer(provider: Provider, secret: str) -> dict[str, str]:
    """What R116 returns; the only time that the secret is said."""
    return {
        "providerId": provider.id,
        "clientId": provider.client_id,
        "clientSecret": secret,
        "registrationStatus": provider.status.value,
    }


def public_key_answer(provider_id: str, provider: Provider | None, now: float) -> dict[str, Any]:
    """``getProviderPublicKey`` (R120). A key of a provider that is not approved vouches for nobody.

    :raises NoSuchKey: in the words of R120.
    """
    if provider is None:
        raise NoSuchKey(f"Provider not found: {provider_id[:64]}", code="idp.unknown_provider")
    key = provider.key(now) if provider.status is Status.APPROVED else None
    if key is None or key.approved_at is None:
        raise NoSuchKey(f"No active key found for provider: {provider.id}")
    answer = {
        "providerId": provider.id,
        "providerName": provider.about.name,
        "publicKey": pem_of(key.jwk),
        "keyId": key.kid,
        "algorithm": key.algorithm,
        "validFrom": iso(key.approved_at),
        "revoked": False,
    }
    return answer if key.valid_until is None else {**answer, "validUntil": iso(key.valid_until)}


def iso(seconds: int) -> str:
    """Unix seconds -> ISO 8601, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
