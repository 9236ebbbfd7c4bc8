"""PayPal's tools as the workbench knows them: what ships with this release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.policy.money import Money
from gateway.upstream.paypal.definitions import TOOLS
from gateway.upstream.paypal.money import money_of


class PayPalTools:
    """See :class:`gateway.workbench.questions.Tools`."""

    def wire(self, tool: str) -> Mapping[str, Any] | None:
        """As ``tools/list`` sends it."""
        found = TOOLS.get(tool)
        return None if found is None else found.wire

    def money_of(self, tool: str, arguments: Mapping[str, Any]) -> Money | None:
        """From the arguments alone; nothing is looked up."""
        return money_of(tool, arguments)


PAYPAL = PayPalTools()
