"""The settings ``idp`` as a frozen value. No reading, no judging."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Text = Annotated[str, Meta(min_length=1)]


class IdpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ETDI identity provider: in this gateway (``mounted``, at ``/idp``), or alone (``countersign idp serve``).

    ``url``: its issuer, beneath which it is reached; unset, ``<public_url>/idp``. ``audience``: who verifies its
    tokens; unset, ``<public_url>/etdi``. ``folder``: the folder of private keys, encrypted where there is a
    ``passphrase_file``.
    ``rotate_days``, ``rotate_uses``: how long, and how often, a key signs before the next follows; 0 is no limit.
    ``propagation_seconds``: how long a new key is published before it signs. ``registration``: strangers may register
    over HTTP; ``approval_required``: and then an operator must agree. ``requests_per_minute``: of one address; 0 is no
    limit.
    """

    mounted: bool = False
    listen: Text = "127.0.0.1:3100"
    url: Text | None = None
    audience: Text | None = None
    folder: Text = ".countersign/idp"
    passphrase_file: Text | None = None
    algorithm: Literal["ES256", "RS256"] = "ES256"
    lifetime_seconds: Annotated[int, Meta(ge=60, le=3600)] = 3600
    rotate_days: Annotated[int, Meta(ge=0, le=3650)] = 90
    rotate_uses: Annotated[int, Meta(ge=0, le=2**40)] = 1_000_000
    propagation_seconds: Annotated[int, Meta(ge=1, le=7 * 24 * 3600)] = 900
    jwks_max_age_seconds: Annotated[int, Meta(ge=0, le=3600)] = 300
    registration: bool = False
    approval_required: bool = True
    requests_per_minute: Annotated[int, Meta(ge=0, le=1_000_000)] = 120
