"""What can go wrong in one exchange, sorted by what the caller may conclude.

    Http1Error
    ├── NotSent            certain: no byte of the request left this process; safe to try again
    │   └── NotSentTimeout the deadline passed while waiting for a connection
    ├── NoReply            sent, and no usable answer came: the effect upstream is UNKNOWN
    │   └── NoReplyTimeout the deadline passed after sending
    └── BadReply           an answer came that must not be used; the effect upstream is UNKNOWN too
    InvalidRequest         the caller's own bytes would break the framing; nothing was sent

`reason` is a short stable code for metrics and audit. No message repeats bytes of a request or a reply.
"""


class Http1Error(Exception):
    """One exchange did not give a usable response. `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotSent(Http1Error):
    """Nothing was sent: connection refused, TLS refused, client closed."""


class NotSentTimeout(NotSent):
    """Nothing was sent before the deadline: no free connection, or connecting took too long."""


class NoReply(Http1Error):
    """The request was written and the connection ended without a response."""


class NoReplyTimeout(NoReply):
    """The request was written and the response was not complete at the deadline."""


class BadReply(Http1Error):
    """A malformed, truncated, oversize or encoded response."""


class InvalidRequest(ValueError):
    """The request cannot be written without breaking its framing (RFC 9112 section 11.1)."""
