"""Settings of the bundles that are handed out, and their contradictions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from gateway.settings.kinds import Hidden, Text

_SECRET = re.compile(r"[!-~]{16,}")


class BundleSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Signed policy bundles for OPA at ``/bundles/NAME.tar.gz``: the files of ``folder``. Each must be signed for
    ``scope`` by the key whose public half is ``verification_key``. Without a ``token`` they go to this machine alone.
    """

    folder: Text | None = None
    verification_key: Text | None = None
    scope: Text | None = None
    token: Hidden | None = None


def bundle_problems(bundles: BundleSettings) -> Iterator[str]:
    """What cannot be meant."""
    if (bundles.folder is None) != (bundles.verification_key is None):
        yield "bundles.verification_key: what is handed out is verified first; set it and bundles.folder, or neither."
    if bundles.token is not None and not _SECRET.fullmatch(bundles.token):
        yield "bundles.token: has at least 16 characters, none of them a space."
