"""Makes listings of tools carry their ETDI blocks: version, signature, token, in this order (C24).

One tool that cannot be secured is logged and leaves the others alone (R162). Log lines name tools and reasons, and
never hold a token.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from gateway.authoring.claims import ToolClaims
from gateway.authoring.declaration import (
    Author,
    Declaration,
    Mode,
    block,
    has_block,
    twin_of,
    with_block,
)
from gateway.authoring.errors import AuthoringError, ConfigInvalid, NoToken
from gateway.authoring.history import VersionHistory
from gateway.authoring.providers.provider import OAuthProvider
from gateway.authoring.signing import Signer, signed_bytes
from gateway.authoring.tokens import ToolTokens
from gateway.authoring.versions import shape_of
from gateway.catalog.definition import read_definition

MAX_SIGNED: Final = 4_096
_LOG = logging.getLogger("countersign.authoring")


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """R162. ``auto_secure``: also tools that declare nothing. ``skip``: names of tools that stay as they are.

    ``keep_legacy``: in ``etdi-only``, a tool that cannot be secured is listed plain; without it, it is not there.
    ``capability``: say in the handshake that ETDI is spoken.
    """

    mode: Mode = Mode.ETDI_ONLY
    auto_secure: bool = True
    skip: frozenset[str] = frozenset()
    keep_legacy: bool = True
    capability: bool = True


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """What a listing became. ``twins`` name the tool that each extra name stands for; ``hidden`` are not callable."""

    tools: tuple[dict[str, Any], ...]
    twins: dict[str, str]
    hidden: frozenset[str]


class Etdi:
    """One server's tools. ``declarations`` are by tool name, and may still be added to before the first listing.

    ``tokens`` are made over ``oauth`` unless they are given. Use as ``async with etdi.running()``, or call
    :meth:`initialise` and :meth:`shutdown`.
    """

    def __init__(
        self,
        *,
        author: Author,
        oauth: OAuthProvider,
        history: VersionHistory,
        signer: Signer | None = None,
        options: Options | None = None,
        declarations: Mapping[str, Declaration] | None = None,
        tokens: ToolTokens | None = None,
    ) -> None:
        self.author = author
        self.options = options or Options()
        self.oauth = oauth
        self._history = history
        self._signer = signer
        self._declarations = dict(declarations or {})
        self._tokens = tokens or ToolTokens(oauth)
        self._signatures: OrderedDict[bytes, str] = OrderedDict()
        self._registered: dict[str, str] = {}
        self._missing: dict[str, str] = {}
        self._users = 0

    @property
    def history(self) -> VersionHistory:
        """The versions of every tool."""
        return self._history

    @property
    def signs(self) -> bool:
        """Whether definitions carry a signature besides their token."""
        return self._signer is not None

    def declare(self, name: str, declaration: Declaration) -> None:
        """What the author says of the tool ``name``.

        :raises ConfigInvalid: it was said already, differently, or another tool has this id: they would share versions.
        """
        if self._declarations.setdefault(name, declaration) != declaration:
            raise ConfigInvalid(f"{name}: declared twice, differently")
        ids = [one.id or known for known, one in self._declarations.items()]
        if ids.count(declaration.id or name) > 1:
            raise ConfigInvalid(f"{name}: another tool has the id {declaration.id or name!r}")

    async def initialise(self, tools: Sequence[Mapping[str, Any]] = ()) -> None:
        """Versions, signatures and tokens of these definitions, before anybody asks."""
        self._users += 1
        await self.listing(tools, newest=True)

    async def shutdown(self) -> None:
        """Close what was opened, once nobody uses it any more."""
        self._users = max(0, self._users - 1)
        if self._users == 0:
            await self._tokens.aclose()
            await self.oauth.aclose()

    @asynccontextmanager
    async def running(self, tools: Sequence[Mapping[str, Any]] = ()) -> AsyncIterator[Etdi]:
        """Initialised for as long as the block runs."""
        try:
            await self.initialise(tools)
            yield self
        finally:
            await self.shutdown()

    async def listing(self, tools: Sequence[Mapping[str, Any]], *, newest: bool) -> Listing:
        """A ``tools/list`` as this server's mode wants it.

        ``newest``: the definitions are as a newest protocol version shows them. Older ones lack members, so they make
        no versions.
        """
        names = frozenset(str(tool.get("name")) for tool in tools)
        made = await asyncio.gather(*(self._one(tool, names, newest=newest) for tool in tools))
        return Listing(
            tools=tuple(tool for one in made for tool in one.tools),
            twins={twin: name for one in made for twin, name in one.twins.items()},
            hidden=frozenset(name for one in made for name in one.hidden),
        )

    async def _one(self, tool: Mapping[str, Any], names: frozenset[str], *, newest: bool) -> Listing:
        name, plain = str(tool.get("name")), _listing(tool)
        declaration = self._declarations.get(name)
        if declaration is None and self.options.auto_secure:
            declaration = Declaration()
        if declaration is None or has_block(tool) or name in self.options.skip:
            return plain
        wanted, twin = dict(tool), self.options.mode is Mode.DUAL
        if twin:
            wanted = twin_of(tool)
            if wanted["name"] in names:
                _LOG.error("No ETDI twin for %r: the server has a tool of that name", name)
                return plain
        try:
            secured = await self._secured(wanted, declaration, base=name, newest=newest)
        except (AuthoringError, ValueError) as problem:
            _LOG.error("Failed to add ETDI security to tool %r: %s", name, problem)
            return self._unsecured(tool)
        if self.options.mode is Mode.PASSIVE:
            _LOG.info("ETDI security available for tool %r", name)
            return plain
        if twin:
            return _listing(tool, secured, twins={secured["name"]: name})
        return _listing(secured)

    def _unsecured(self, tool: Mapping[str, Any]) -> Listing:
        if self.options.mode is Mode.ETDI_ONLY and not self.options.keep_legacy:
            return Listing(tools=(), twins={}, hidden=frozenset({str(tool.get("name"))}))
        return _listing(tool)

    async def _secured(
        self, tool: Mapping[str, Any], declaration: Declaration, *, base: str, newest: bool
    ) -> dict[str, Any]:
        """:raises AuthoringError: :raises ValueError: a definition that is none."""
        tool_id = declaration.id or base
        if tool["name"] != base:
            tool_id += tool["name"].removeprefix(base)
        version = self._version(tool, tool_id, declaration, newest=newest)
        made = block(
            self.author,
            declaration,
            tool_id=tool_id,
            version=version,
            oauth_provider=self.oauth.info.block,
            signer=self._signer,
        )
        definition = read_definition(with_block(tool, made))
        if self._signer is not None:
            made["signature"] = self._signature(with_block(tool, made))
        claims = ToolClaims(
            tool_id=tool_id,
            tool_version=version,
            tool_provider=self.author.id,
            permissions=declaration.permissions,
            definition_hash=definition.definition_hash,
        )
        try:
            kept = await self._tokens.token(claims)
        except NoToken as problem:
            return self._without_token(tool, made, problem)
        self._missing.pop(tool_id, None)
        self._log_once(tool_id, version)
        made["oauth"] = {**made["oauth"], "token": kept.token.expose().decode("ascii")}
        return with_block(tool, made)

    def _without_token(
        self, tool: Mapping[str, Any], made: Mapping[str, Any], problem: NoToken
    ) -> dict[str, Any]:
        """The block without its token: still this tool, and whoever wants a token sees that it has none."""
        if self.options.mode is Mode.ETDI_ONLY and not self.options.keep_legacy:
            raise problem
        if self._missing.get(made["id"]) != problem.message:
            self._missing[made["id"]] = problem.message
            _LOG.error("No OAuth token for tool %r: %s", made["id"], problem)
        return with_block(tool, made)

    def _version(
        self, tool: Mapping[str, Any], tool_id: str, declaration: Declaration, *, newest: bool
    ) -> str:
        if not newest:
            known = self._history.current(tool_id)
            return declaration.first_version if known is None else known
        shape = shape_of(read_definition(tool), declaration.permissions)
        return self._history.version(tool_id, shape, first=declaration.first_version)

    def _signature(self, wire: Mapping[str, Any]) -> str:
        """Made once per definition: a signature that changes with each listing would look like a change."""
        assert self._signer is not None
        payload = signed_bytes(wire)
        key = hashlib.sha256(payload).digest()
        known = self._signatures.get(key)
        if known is None:
            known = self._signatures[key] = self._signer.sign(payload)
            if len(self._signatures) > MAX_SIGNED:
                self._signatures.popitem(last=False)
        return known

    def _log_once(self, tool_id: str, version: str) -> None:
        if self._registered.get(tool_id) != version:
            self._registered[tool_id] = version
            _LOG.info("Tool registered with OAuth: %s %s", tool_id, version)


def _listing(*tools: Mapping[str, Any], twins: dict[str, str] | None = None) -> Listing:
    return Listing(tools=tuple(dict(tool) for tool in tools), twins=twins or {}, hidden=frozenset())
