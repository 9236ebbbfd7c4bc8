"""One definition -> its version, its block with the signature, and what its token must name. No token yet (C24)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.authoring.claims import ToolClaims
from gateway.authoring.declaration import Author, Declaration, block, with_block
from gateway.authoring.history import VersionHistory
from gateway.authoring.signing import Signer, signed_bytes
from gateway.authoring.versions import shape_of
from gateway.catalog.definition import read_definition


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """``block`` has everything but the token; ``digest`` is of the definition and the declaration it was made from."""

    digest: bytes
    block: dict[str, Any]
    claims: ToolClaims


class Securing:
    """Makes the blocks of one server's tools. What it made last of a tool is kept and used while nothing changes.

    A signature is thereby the same in every listing: ECDSA makes another each time, and a listing that changes for
    nothing would be looked at for nothing.
    """

    def __init__(
        self, *, author: Author, oauth_provider: str, history: VersionHistory, signer: Signer | None
    ) -> None:
        self._author = author
        self._oauth_provider = oauth_provider
        self._history = history
        self._signer = signer
        self._last: dict[tuple[str, bool], Prepared] = {}

    def prepare(
        self, tool: Mapping[str, Any], declaration: Declaration, *, tool_id: str, newest: bool
    ) -> Prepared:
        """See the module. ``newest``: as a newest protocol version shows it; older forms make no versions.

        :raises HistoryUnusable: a new version cannot be written down.
        :raises ValueError: a definition that is none.
        """
        digest = _digest(tool, declaration)
        last = self._last.get((tool_id, newest))
        # Going back to what was before is a new version (``history.py``): only what is current may be used again.
        if last is not None and last.digest == digest and self._is_current(last.claims, newest=newest):
            return last
        version = self._version(tool, declaration, tool_id=tool_id, newest=newest)
        made = block(
            self._author,
            declaration,
            tool_id=tool_id,
            version=version,
            oauth_provider=self._oauth_provider,
            signer=self._signer,
        )
        wire = with_block(tool, made)
        claims = ToolClaims(
            tool_id=tool_id,
            tool_version=version,
            tool_provider=self._author.id,
            permissions=declaration.permissions,
            definition_hash=read_definition(wire).definition_hash,
        )
        if self._signer is not None:
            made["signature"] = self._signer.sign(signed_bytes(wire))
        prepared = Prepared(digest=digest, block=made, claims=claims)
        self._last[(tool_id, newest)] = prepared
        return prepared

    def _is_current(self, claims: ToolClaims, *, newest: bool) -> bool:
        known = self._history.current(claims.tool_id)
        return known == claims.tool_version or (known is None and not newest)

    def _version(
        self, tool: Mapping[str, Any], declaration: Declaration, *, tool_id: str, newest: bool
    ) -> str:
        if not newest:
            known = self._history.current(tool_id)
            return declaration.first_version if known is None else known
        shape = shape_of(read_definition(tool), declaration.permissions)
        return self._history.version(tool_id, shape, first=declaration.first_version)


def _digest(tool: Mapping[str, Any], declaration: Declaration) -> bytes:
    return hashlib.sha256(msgspec.json.encode([tool, declaration])).digest()
