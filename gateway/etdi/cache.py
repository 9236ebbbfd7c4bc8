"""Verdicts that were reached a moment ago, by everything they depend on (C25, C41, C42).

The key is one hash over token, signature, issuer, audience, tool, version, provider, permissions and definition hash:
whatever differs is another question. No token is kept. An entry ends with its ``until`` or its keys, and whether it
still stands is looked at on every use, not when it was put in.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import NamedTuple

import msgspec

from gateway.catalog.definition import Definition
from gateway.catalog.verification import Verdict
from gateway.etdi.trust import Trust


class Kept(NamedTuple):
    """One entry. ``tool``: SHA-256 of the tool's id, for :meth:`VerdictCache.forget_tool`."""

    verdict: Verdict
    tool: bytes


class VerdictCache:
    """Least recently *used* goes first, at ``max_entries``. Not safe across threads; the event loop is one.

    :raises ValueError: no room at all.
    """

    def __init__(self, max_entries: int) -> None:
        if max_entries < 1:
            raise ValueError("the cache must hold at least one verdict")
        self._max_entries = max_entries
        self._entries: OrderedDict[bytes, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Verdict | None:
        """What is kept, whether or not it still stands: that is the verifier's to say."""
        kept = self._entries.get(key)
        if kept is None:
            return None
        self._entries.move_to_end(key)
        return kept.verdict

    def put(self, key: bytes, verdict: Verdict, *, tool: bytes) -> None:
        """Keep one, in place of an earlier one."""
        self._entries[key] = Kept(verdict, tool)
        self._entries.move_to_end(key)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def drop(self, key: bytes) -> None:
        """Forget one, if it is there."""
        self._entries.pop(key, None)

    def forget_tool(self, tool_id: str) -> None:
        """Forget what is known of exactly this tool: ``a`` is not ``a:b`` (R151)."""
        tool = hashed(tool_id)
        for key in [key for key, kept in self._entries.items() if kept.tool == tool]:
            del self._entries[key]

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def hashed(text: str) -> bytes:
    """SHA-256; any text, also one that UTF-8 cannot write."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def key_of(definition: Definition, trust: Trust) -> bytes:
    """What a verdict about this definition depends on, besides time and keys. Unambiguous: JSON is what is hashed."""
    block = definition.block
    oauth, signature = block.oauth, block.signature
    named = None if oauth is None or oauth.provider is None else oauth.provider
    issuer = None if named is None else trust.issuer(named)
    return hashlib.sha256(
        msgspec.json.encode(
            (
                None if oauth is None or oauth.token is None else hashed(oauth.token).hex(),
                named,
                None if issuer is None else (issuer.issuer, issuer.audience),
                block.id,
                definition.version,
                definition.provider,
                definition.permissions,
                definition.definition_hash,
                definition.signed_hash,
                None
                if signature is None
                else (
                    hashed(signature.value).hex(),
                    hashed(signature.algorithm or "").hex(),
                    signature.key_id,
                ),
            )
        )
    ).digest()
