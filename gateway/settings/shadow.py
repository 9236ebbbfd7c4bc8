"""The settings of the candidate policy, as frozen values."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.settings.kinds import Hidden, Seconds, Text


class ShadowSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A candidate policy that is judged beside the live one, without effect: a folder or bundle (``path``), or another
    OPA (``opa_url``). One of ``sample`` questions is put to it. It is held when more than ``hold_above`` (a share) of
    the last ``hold_after`` answers differ. Off without a candidate."""

    path: Text | None = None
    opa_url: Text | None = None
    opa_token: Hidden | None = None
    timeout_s: Seconds = 1.0
    sample: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    report: Text = ".countersign/shadow.json"
    hold_above: Annotated[float, Meta(ge=0, le=1)] = 0.01
    hold_after: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
