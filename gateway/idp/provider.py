"""Who provides tools: a registered provider, its secret's hash, its keys, and what an operator granted it. Pure.

A provider that registered has nothing: no scope and no tool (C33). An operator grants scopes one by one, and tools by
their ids or by a beginning with ``*`` behind it. ``*`` alone is everything; only an operator can write it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec

from gateway.identity.jwk import jwk_thumbprint
from gateway.idp.errors import IdpRefused

SECRET_BYTES: Final = 32
"""256 random bits: nobody guesses them, so one SHA-256 is enough to keep (C31)."""
SCOPE_PREFIX: Final = "tool:"
"""What a tool's token may speak of. A scope of some API would make a published token worth stealing (C55)."""
MAX_GRANTS: Final = 500
MAX_KEYS: Final = 50
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SCOPE: Final = re.compile(r"tool:[!#-\[\]-~]{1,250}", re.ASCII)
_TOOL: Final = re.compile(r"[!-~]{1,200}", re.ASCII)
_MAIL: Final = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}")
MAX_TEXT: Final = 500


class Status(StrEnum):
    """Where the registration stands (R116)."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    SUSPENDED = "SUSPENDED"


class ProviderKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key of the provider, pinned by its thumbprint. ``approved_at`` None: proposed, good for nothing."""

    kid: str
    algorithm: str
    jwk: dict[str, str]
    proposed_at: int
    approved_at: int | None = None
    valid_until: int | None = None
    revoked_at: int | None = None

    def active(self, now: float) -> bool:
        """Whether it vouches for the provider now."""
        if self.approved_at is None or self.approved_at > now or self.revoked_at is not None:
            return False
        # Attack: another key written under an approved thumbprint in the store (R124).
        return (self.valid_until is None or now < self.valid_until) and self.kid == jwk_thumbprint(self.jwk)


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of itself (R116). Shown to operators; nothing is decided by it."""

    name: str
    description: str = ""
    contact_email: str = ""
    website: str = ""
    callback_url: str = ""

    def checked(self) -> About:
        """:raises IdpRefused: ``idp.registration``, naming the member."""
        if not 0 < len(self.name) <= 100 or not self.name.isprintable() or not self.name.strip():
            raise _unfit("name", "has 1 to 100 printable characters")
        if len(self.description) > MAX_TEXT or not self.description.replace("\n", " ").isprintable():
            raise _unfit("description", f"has at most {MAX_TEXT} printable characters")
        if self.contact_email and not (
            _MAIL.fullmatch(self.contact_email) and self.contact_email.isprintable()
        ):
            raise _unfit("contactEmail", "is no mail address")
        for member, url in (("website", self.website), ("callbackUrl", self.callback_url)):
            if url and not _https(url):
                raise _unfit(member, "is no https URL")
        return self


class Provider(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider. ``secret_sha256``: 64 hex digits. ``reason``: why it is suspended. ``introspects``: it may ask
    about tokens of all providers, as a verifier does."""

    id: str
    about: About
    client_id: str
    secret_sha256: str
    status: Status
    reason: str = ""
    registered_at: int
    scopes: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    introspects: bool = False
    keys: tuple[ProviderKey, ...] = ()

    def may_have(self, scope: str) -> bool:
        """Whether an operator granted that scope; one outside ``tool:`` nobody can grant."""
        return _SCOPE.fullmatch(scope) is not None and ("*" in self.scopes or scope in self.scopes)

    def provides(self, tool_id: str) -> bool:
        """Whether an operator granted that tool. Another provider may still be its owner (``providers.py``)."""
        return any(
            tool_id.startswith(one[:-1]) if one.endswith("*") else tool_id == one for one in self.tools
        )

    def key(self, now: float) -> ProviderKey | None:
        """The key that vouches for it now: the youngest approved one."""
        return next((one for one in reversed(self.keys) if one.active(now)), None)

    def proposed(self) -> ProviderKey | None:
        """The key that waits for an operator."""
        return next((one for one in self.keys if one.approved_at is None and one.revoked_at is None), None)

    def granted(self, *, scopes: tuple[str, ...], tools: tuple[str, ...]) -> Provider:
        """With these grants beside its own. :raises IdpRefused: ``idp.grant``."""
        for scope in scopes:
            if scope != "*" and not _SCOPE.fullmatch(scope):
                raise IdpRefused(
                    "A scope is `tool:` and a permission, or `*` for all of them.", code="idp.grant"
                )
        for tool in tools:
            if not _TOOL.fullmatch(tool) or "*" in tool[:-1]:
                raise IdpRefused(
                    "A tool is its id, or the beginning of ids with one `*` behind it.", code="idp.grant"
                )
        merged = (
            tuple(dict.fromkeys((*self.scopes, *scopes))),
            tuple(dict.fromkeys((*self.tools, *tools))),
        )
        if max(map(len, merged)) > MAX_GRANTS:
            raise IdpRefused(f"A provider has at most {MAX_GRANTS} grants.", code="idp.grant")
        return msgspec.structs.replace(self, scopes=merged[0], tools=merged[1])

    def with_proposed(self, key: tuple[str, str, dict[str, str]], now: int) -> Provider:
        """With a key that waits for approval, instead of one that waited. The pinned one goes on (R124).

        :raises IdpRefused: ``idp.key_known``: it is, or once was, a key of this provider.
        """
        kid, algorithm, jwk = key
        waiting = self.proposed()
        kept = tuple(one for one in self.keys if one is not waiting)
        if any(one.kid == kid for one in kept):
            raise IdpRefused(
                "That key is, or was, a key of this provider; make a new one.", code="idp.key_known"
            )
        made = ProviderKey(kid=kid, algorithm=algorithm, jwk=jwk, proposed_at=now)
        return msgspec.structs.replace(self, keys=(*kept, made)[-MAX_KEYS:])

    def with_approved(self, kid: str, now: int) -> Provider:
        """The proposed key is pinned, and its predecessor has ended.

        :raises IdpRefused: ``idp.no_such_key``: another key waits than the one the operator looked at, or none.
        """
        waiting = self.proposed()
        if waiting is None or waiting.kid != kid:
            raise IdpRefused("No key of that thumbprint waits for approval.", code="idp.no_such_key")
        keys = tuple(
            msgspec.structs.replace(one, approved_at=now)
            if one is waiting
            else msgspec.structs.replace(one, valid_until=now)
            if one.active(now)
            else one
            for one in self.keys
        )
        return msgspec.structs.replace(self, keys=keys)

    def with_revoked(self, kid: str, now: int) -> Provider:
        """That key vouches for nothing from now on. :raises IdpRefused: ``idp.no_such_key``."""
        if not any(one.kid == kid and one.revoked_at is None for one in self.keys):
            raise IdpRefused(
                "The provider has no such key, or it is revoked already.", code="idp.no_such_key"
            )
        keys = tuple(
            msgspec.structs.replace(one, revoked_at=now, valid_until=one.valid_until or now)
            if one.kid == kid
            else one
            for one in self.keys
        )
        return msgspec.structs.replace(self, keys=keys)


def new_secret() -> tuple[str, str]:
    """A client secret, shown once, and its SHA-256. The prefix lets secret scanners find it."""
    secret = "csi_" + secrets.token_urlsafe(SECRET_BYTES)
    return secret, hashed(secret)


def hashed(secret: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_client_id() -> str:
    """A public name."""
    return "etdi-" + secrets.token_hex(12)


def new_provider_id() -> str:
    """For a provider that is not given one."""
    return "prv-" + secrets.token_hex(8)


def checked_provider_id(text: str) -> str:
    """:raises IdpRefused: ``idp.provider_id``."""
    if not _ID.fullmatch(text):
        raise IdpRefused(
            "A provider's id has 1 to 64 of a-z, 0-9, `.`, `_` and `-`, and begins with a letter or digit.",
            code="idp.provider_id",
        )
    return text


def is_tool_id(text: str) -> bool:
    """1 to 200 visible ASCII characters: what cannot be confused with another id on a screen."""
    return _TOOL.fullmatch(text) is not None


def _https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = parts.username is not None or parts.password is not None
    except ValueError:
        return False
    printable = url.isascii() and url.isprintable() and " " not in url and len(url) <= MAX_TEXT
    return printable and parts.scheme == "https" and bool(parts.hostname) and not named


def _unfit(member: str, what: str) -> IdpRefused:
    return IdpRefused(f"{member}: {what}.", code="idp.registration")
