"""What a call at PayPal's own toolkit changes: :mod:`.before`, on the arguments in our words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.upstream.paypal import before
from gateway.upstream.paypal.operation import Arguments
from gateway.upstream.paypal.toolkit_view import viewed


def lookup_for(tool: str, arguments: Arguments) -> tuple[str, dict[str, Any]] | None:
    """See :func:`.before.lookup_for`; the toolkit's read tools take their ids under the same names."""
    return before.lookup_for(tool, viewed(tool, arguments))


def rows(tool: str, arguments: Arguments, structured: Mapping[str, Any]) -> Sequence[before.Row] | None:
    """See :func:`.before.rows`."""
    return before.rows(tool, viewed(tool, arguments), structured)
