"""What a call at PayPal's own toolkit costs: :mod:`.money`, on the arguments in our words. Pure."""

from __future__ import annotations

from gateway.policy.money import Money
from gateway.upstream.paypal import money
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.lookups import Answers, Read
from gateway.upstream.paypal.operation import Arguments
from gateway.upstream.paypal.toolkit_view import viewed


def money_of(tool: str, arguments: Arguments) -> Money | None:
    """See :func:`.money.money_of`."""
    return money.money_of(tool, viewed(tool, arguments))


def lookup_for(tool: str, arguments: Arguments, answers: Answers = ()) -> Read | None:
    """See :func:`.money.lookup_for`; the toolkit's read tools take their ids under the same names.

    It has none that reads a capture: a refund without an amount stays unknown there, and the payee of every refund.
    """
    read = money.lookup_for(tool, viewed(tool, arguments), answers)
    return read if read is not None and read[0] in TOOLS else None


def money_from(tool: str, arguments: Arguments, answers: Answers) -> Money:
    """See :func:`.money.money_from`."""
    return money.money_from(tool, viewed(tool, arguments), answers)
