"""The 28 tools by name, in one fixed order. What the catalog pins and ``tools/list`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.upstream.paypal.operation import ToolDefinition
from gateway.upstream.paypal.tools import (
    catalogue,
    disputes,
    invoices,
    payments,
    plans,
    reporting,
    shipment,
    subscriptions,
)

_PRODUCTS = (invoices, payments, disputes, shipment, catalogue, plans, subscriptions, reporting)

TOOLS: Mapping[str, ToolDefinition] = MappingProxyType(
    {tool.name: tool for product in _PRODUCTS for tool in product.TOOLS}
)
"""Name -> definition. ``TOOLS[name].wire`` is the raw MCP tool."""
