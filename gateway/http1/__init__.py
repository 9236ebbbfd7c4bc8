"""The lean pooled HTTP/1.1 client of the call path (the OPA sidecar, MCP upstreams).

`client` is what callers use; `pool` keeps connections, `connection` reads responses, `message` writes
requests, `endpoint` says where, `errors` says what may be concluded when it fails.
"""

from gateway.http1.client import Http1Client, ResponseStream
from gateway.http1.endpoint import Endpoint
from gateway.http1.errors import (
    BadReply,
    Http1Error,
    InvalidRequest,
    NoReply,
    NoReplyTimeout,
    NotSent,
    NotSentTimeout,
)
from gateway.http1.message import Headers, Limits, Response

__all__ = [
    "BadReply",
    "Endpoint",
    "Headers",
    "Http1Client",
    "Http1Error",
    "InvalidRequest",
    "Limits",
    "NoReply",
    "NoReplyTimeout",
    "NotSent",
    "NotSentTimeout",
    "Response",
    "ResponseStream",
]
