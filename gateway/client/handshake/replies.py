"""One HTTP answer of httpx as a ``Reply``, and whether it asks for a new proof."""

from __future__ import annotations

import httpx

from gateway.client.handshake.answers import Reply
from gateway.client.handshake.flow import Post
from gateway.client.login.challenge import challenges
from gateway.client.login.dpop import nonce_in

NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.PoolTimeout,
)
"""After these nothing has left."""


def wants_another(step: Post, reply: Reply, url: str) -> bool:
    """Whether the gateway at ``url`` wants another nonce in the proof (RFC 9449 section 9), and it is one. It has
    looked at nothing else of the request, so that sending it once more cannot do anything twice."""
    prover = None if step.session is None else step.session.prover
    if prover is None or reply.status != 401 or not reply.wants_nonce:
        return False
    return prover.heard(url, reply.nonce)


def plain(response: httpx.Response) -> bool:
    """Not compressed, as was asked for: a few kilobytes can unpack to gigabytes."""
    encoding: str = response.headers.get("content-encoding", "identity")
    return encoding.lower() == "identity"


def reply_of(response: httpx.Response, body: bytes | None) -> Reply:
    """``body``: None where it is too long or broke off."""
    headers = response.headers
    asked = challenges(headers.get_list("www-authenticate")) if response.status_code == 401 else ()
    return Reply(
        status=response.status_code,
        body=body,
        retry_after=headers.get("retry-after"),
        receipt=headers.get("countersign-receipt"),
        wants_nonce=any(one.error == "use_dpop_nonce" for one in asked),
        nonce=nonce_in(headers.get("dpop-nonce")),
    )
