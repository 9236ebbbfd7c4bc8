"""One thing that is wrong with a policy, or looks wrong, and what to do about it."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``where`` is a file below the folder, with the line or the place in the data. An ``error`` must not go live."""

    check: str
    severity: Literal["error", "warning"]
    where: str
    message: str
    remedy: str = ""
