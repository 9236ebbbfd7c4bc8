"""Catalog products v1: three tools."""

from __future__ import annotations

from gateway.upstream.paypal import schema
from gateway.upstream.paypal.operation import Operation, ToolDefinition, pick

_PRODUCTS = "/v1/catalogs/products"
_READ = ("paypal:catalog:read",)

TOOLS = (
    ToolDefinition(
        name="create_product",
        title="Create a product",
        description="Add a product or service to the catalogue, to be sold by subscription.",
        input_schema=schema.closed(
            {
                "name": schema.line(127, "The product's name."),
                "type": schema.choice(("PHYSICAL", "DIGITAL", "SERVICE"), "What kind of product."),
                "description": schema.lines(256, "More about it."),
                "category": schema.matching(
                    "[A-Z_]{4,256}", "PayPal's category, such as SOFTWARE.", most=256
                ),
                "image_url": schema.web_address("A picture."),
                "home_url": schema.web_address("The product's page."),
            },
            required=("name", "type"),
        ),
        permissions=("paypal:catalog:write",),
        operation=Operation(
            method="POST",
            path=_PRODUCTS,
            effect="write",
            success=frozenset({200, 201}),
            body=pick("name", "type", "description", "category", "image_url", "home_url"),
            idempotent=True,
            prefer=True,
        ),
    ),
    ToolDefinition(
        name="list_products",
        title="List products",
        description="List the products of the catalogue, page by page.",
        input_schema=schema.closed(
            {
                **schema.paging(20, most_pages=100_000),
                "total_required": schema.flag("Also count all products."),
            }
        ),
        permissions=_READ,
        operation=Operation(
            method="GET",
            path=_PRODUCTS,
            effect="read",
            success=frozenset({200}),
            query=("page", "page_size", "total_required"),
        ),
    ),
    ToolDefinition(
        name="show_product_details",
        title="Show a product",
        description="Show one product of the catalogue.",
        input_schema=schema.closed(
            {"product_id": schema.identifier(schema.PRODUCT_ID, "The product's id.")},
            required=("product_id",),
        ),
        permissions=_READ,
        operation=Operation(
            method="GET", path=_PRODUCTS + "/{product_id}", effect="read", success=frozenset({200})
        ),
    ),
)
