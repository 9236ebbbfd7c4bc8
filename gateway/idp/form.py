"""The form of a token, introspection or revocation request (RFC 6749 appendix B): strict, each field once. Pure."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl

from gateway.idp.errors import OAuthRefused, Refusal

MAX_FORM_BYTES: Final = 32 * 1024
"""A token, an assertion and some scopes; each of the first two has 8 KiB at most."""
MAX_FIELDS: Final = 24
_KIND: Final = "application/x-www-form-urlencoded"


def parse_form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields. Those nobody knows stay unread (RFC 6749 section 3.2); empty ones count as left out.

    :raises OAuthRefused: another content type, a field twice (two readers would see two requests), or no form.
    """
    if content_type.split(";", 1)[0].strip().lower() != _KIND:
        raise OAuthRefused(Refusal.INVALID_REQUEST, f"Send the parameters as {_KIND}.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=MAX_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise OAuthRefused(Refusal.INVALID_REQUEST, "The form cannot be read.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise OAuthRefused(Refusal.INVALID_REQUEST, "A parameter stands twice; send each once.")
    return {name: value for name, value in form.items() if value}
