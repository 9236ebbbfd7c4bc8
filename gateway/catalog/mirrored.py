"""Arguments that travel twice: in the body, and as ``Mcp-Param-*`` headers for those who route by them. Pure.

2026-07-28/basic/transports/streamable-http, custom headers: a server refuses a call whose header and argument differ,
since somebody on the way may have let it pass by the one and it would run by the other.
"""

from __future__ import annotations

from mcp.shared.inbound import validate_mcp_param_headers

from gateway.catalog.definition import Definition
from gateway.door.call import Era, ToolCall
from gateway.errors import HeaderMismatch


def check_mirrored(call: ToolCall, definition: Definition) -> None:
    """What is *not* checked: headers of a tool that asks for none, which only its own server can understand.

    :raises HeaderMismatch: a header is missing, wrong, or there for an argument that is not.
    """
    if not definition.mirrors_arguments or call.era is not Era.MODERN:
        return
    wrong = validate_mcp_param_headers(definition.input_schema, call.arguments, call.param_headers)
    if wrong is not None:
        raise HeaderMismatch(f"{wrong.message}.")
