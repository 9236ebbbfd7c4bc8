"""Who pays and who receives, each under one spelling. Pure; never raises.

PayPal names a party by account id (``payer_id``, ``merchant_id``: one namespace, and it never changes), by e-mail
address (one account may have several, and they move), or by both. Where it tells the id, that is the name; else the
address in its one spelling. A display name is nobody: its owner chooses it, and could choose somebody's account id.

Attacks: one payee under two spellings, and a limit for each payee counts it twice; two payees under one spelling, and
the allowed one vouches for the other. So case is folded where every mail service folds it, in ASCII, and nothing that
is not ASCII is ever taken for ASCII (U+212A, the Kelvin sign, is a K to Unicode and another mailbox to PayPal).

NOT known here: that two addresses are one account, or that two spellings of an international domain are one host.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

MAX_ADDRESS_CHARS = 254
"""PayPal's own bound (``email``), and SMTP's (RFC 5321 section 4.5.3.1.3, less the brackets)."""
_ACCOUNT = re.compile(r"[2-9A-HJ-NP-Z]{13}", re.ASCII)
"""``account_id`` in PayPal's OpenAPI files. It holds no ``@``, so it is never some address."""


def party(account_id: Any, address: Any) -> str | None:
    """The one name of a party; None: nothing here names one."""
    if isinstance(account_id, str) and _ACCOUNT.fullmatch(account_id):
        return account_id
    return one_spelling(address)


def one_spelling(address: Any) -> str | None:
    """An e-mail address as it is compared; None: it is none."""
    if not isinstance(address, str) or len(address) > MAX_ADDRESS_CHARS:
        return None
    composed = unicodedata.normalize("NFC", address)
    if composed.isascii() != address.isascii() or not _is_address(composed):
        return None
    if composed.isascii():
        # A host name may end in the root's dot, and is the same host (RFC 1034 section 3.1).
        return composed.lower().removesuffix(".")
    return composed


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    plain = all(char.isprintable() and not char.isspace() for char in text)
    return bool(local and at and domain.strip(".")) and "@" not in local and plain
