"""What a call at PayPal's own toolkit costs: :mod:`.money`, on the arguments in our words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.money import Money
from gateway.upstream.paypal import money
from gateway.upstream.paypal.operation import Arguments
from gateway.upstream.paypal.toolkit_view import viewed


def money_of(tool: str, arguments: Arguments) -> Money | None:
    """See :func:`.money.money_of`."""
    return money.money_of(tool, viewed(tool, arguments))


def lookup_for(tool: str, arguments: Arguments) -> tuple[str, dict[str, Any]] | None:
    """See :func:`.money.lookup_for`; the toolkit's read tools take their ids under the same names."""
    return money.lookup_for(tool, arguments)


def money_from(tool: str, arguments: Arguments, structured: Mapping[str, Any]) -> Money:
    """See :func:`.money.money_from`."""
    return money.money_from(tool, viewed(tool, arguments), structured)
