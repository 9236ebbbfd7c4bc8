"""Makes listings of tools carry their ETDI blocks, and keeps the tokens in them fresh.

One tool that cannot be secured is logged and leaves the others alone (R162). Log lines name tools and reasons, and
never hold a token; what is still so is not said again with every listing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from gateway.authoring.declaration import (
    Author,
    Declaration,
    Mode,
    has_block,
    twin_of,
    with_block,
)
from gateway.authoring.errors import AuthoringError, ConfigInvalid, HistoryUnusable, NoToken
from gateway.authoring.history import VersionHistory
from gateway.authoring.providers.provider import OAuthProvider
from gateway.authoring.securing import Prepared, Securing
from gateway.authoring.signing import Signer
from gateway.authoring.tokens import ToolTokens

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
    """What a listing became. ``life_s``: seconds until the first of its tokens ends; None where it shows none."""

    tools: tuple[dict[str, Any], ...]
    life_s: float | None = None


class _Planned(msgspec.Struct, frozen=True, kw_only=True):
    """``tool`` as it came; ``wanted`` is what is secured, itself or its twin."""

    tool: dict[str, Any]
    wanted: dict[str, Any]
    prepared: Prepared


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
        self.options = options or Options()
        self.oauth = oauth
        self.history = history
        self.signs = signer is not None
        self._declarations: dict[str, Declaration] = {}
        for name, declaration in (declarations or {}).items():
            self.declare(name, declaration)
        self._tokens = tokens or ToolTokens(oauth)
        self._securing = Securing(
            author=author, oauth_provider=oauth.info.block, history=history, signer=signer
        )
        self._said: dict[tuple[str, str], str] = {}
        self._secured: dict[str, dict[str, Any]] = {}
        self._twins: dict[str, str] = {}
        self._hidden: set[str] = set()
        self._users = 0
        self.was_listed = False

    def declare(self, name: str, declaration: Declaration) -> None:
        """What the author says of the tool ``name``.

        :raises ConfigInvalid: it was said already, differently, or another tool has this id: they would share versions.
        """
        full = msgspec.structs.replace(declaration, id=declaration.id or name)
        if self._declarations.setdefault(name, full) != full:
            raise ConfigInvalid(f"{name}: declared twice, in the manifest or in the code, and differently")
        if [one.id for one in self._declarations.values()].count(full.id) > 1:
            raise ConfigInvalid(f"{name}: another tool has the id {full.id!r}")

    async def initialise(self, tools: Sequence[Mapping[str, Any]] = ()) -> None:
        """Versions, signatures and tokens of these definitions, before anybody asks."""
        self._users += 1
        if tools:
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

    def tool(self, tool_id: str) -> dict[str, Any] | None:
        """The secured definition with this id, as it was listed last (R099)."""
        return self._secured.get(tool_id)

    def tools(self) -> tuple[dict[str, Any], ...]:
        """All of them."""
        return tuple(self._secured.values())

    def stands_for(self, name: str) -> str | None:
        """The tool that a call by this name is for: itself, or a twin's original; None: it may not be called."""
        return None if name in self._hidden else self._twins.get(name, name)

    async def listing(self, tools: Sequence[Mapping[str, Any]], *, newest: bool) -> Listing:
        """A ``tools/list``, or a page of it, as this server's mode wants it.

        ``newest``: the definitions are as a newest protocol version shows them. Older ones lack members, so they make
        no versions.
        """
        names = frozenset(str(tool.get("name")) for tool in tools)
        try:
            with self.history.together():
                planned = [self._planned(tool, names, newest=newest) for tool in tools]
        except HistoryUnusable as problem:
            # Versions that were not written down must not be shown.
            self._say_once(logging.ERROR, "history", problem.message)
            planned = [self._unsecured(tool) for tool in tools]
        shown = await asyncio.gather(*(self._shown(one) for one in planned))
        self.was_listed = True
        lives = [one.life_s for one in shown if one.life_s is not None]
        return Listing(
            tools=tuple(tool for one in shown for tool in one.tools), life_s=min(lives) if lives else None
        )

    def _planned(self, tool: Mapping[str, Any], names: frozenset[str], *, newest: bool) -> Listing | _Planned:
        """What one tool becomes, without its token: as it is, or something that needs one."""
        name = str(tool.get("name"))
        self._hidden.discard(name)
        declaration = self._declaration(name)
        if declaration is None or has_block(tool) or name in self.options.skip:
            return Listing(tools=(dict(tool),))
        wanted = dict(tool)
        if self.options.mode is Mode.DUAL:
            wanted = twin_of(tool)
            if wanted["name"] in names:
                self._twins.pop(wanted["name"], None)
                self._say_once(logging.ERROR, name, "No ETDI twin: the server has a tool of that name")
                return Listing(tools=(dict(tool),))
        tool_id = (declaration.id or name) + wanted["name"].removeprefix(name)
        try:
            prepared = self._securing.prepare(wanted, declaration, tool_id=tool_id, newest=newest)
        except (AuthoringError, ValueError) as problem:
            self._say_once(logging.ERROR, name, f"Failed to add ETDI security: {problem}")
            return self._unsecured(tool)
        return _Planned(tool=dict(tool), wanted=wanted, prepared=prepared)

    async def _shown(self, planned: Listing | _Planned) -> Listing:
        if isinstance(planned, Listing):
            return planned
        secured, life_s = await self._with_token(planned.wanted, planned.prepared)
        tool_id = planned.prepared.claims.tool_id
        return self._placed(planned.tool, secured, tool_id=tool_id, life_s=life_s)

    def _declaration(self, name: str) -> Declaration | None:
        """What was said of the tool; with ``auto_secure``, of any other, that it asks for nothing."""
        declaration = self._declarations.get(name)
        if declaration is not None or not self.options.auto_secure:
            return declaration
        if any(one.id == name for one in self._declarations.values()):
            self._say_once(logging.ERROR, name, "Not secured: another tool has this id", about="id")
            return None
        return Declaration()

    async def _with_token(
        self, tool: Mapping[str, Any], prepared: Prepared
    ) -> tuple[dict[str, Any], float | None]:
        """The definition with its token; without one it is still this tool, and seen to have none."""
        claims = prepared.claims
        try:
            kept = await self._tokens.token(claims)
        except NoToken as problem:
            self._say_once(logging.ERROR, claims.tool_id, f"No OAuth token: {problem}")
            return with_block(tool, prepared.block), None
        self._say_once(
            logging.INFO, claims.tool_id, f"Tool registered with OAuth, version {claims.tool_version}"
        )
        oauth = {**prepared.block["oauth"], "token": kept.token.expose().decode("ascii")}
        return with_block(tool, {**prepared.block, "oauth": oauth}), self._tokens.life_of(kept)

    def _placed(
        self, tool: Mapping[str, Any], secured: dict[str, Any], *, tool_id: str, life_s: float | None
    ) -> Listing:
        if life_s is None and self._is_strict:
            return self._unsecured(tool)
        self._secured[tool_id] = secured
        match self.options.mode:
            case Mode.PASSIVE:
                if life_s is not None:
                    self._say_once(logging.INFO, tool_id, "ETDI security available", about="passive")
                return Listing(tools=(dict(tool),))
            case Mode.DUAL:
                self._twins[secured["name"]] = tool["name"]
                return Listing(tools=(dict(tool), secured), life_s=life_s)
            case Mode.ETDI_ONLY:
                return Listing(tools=(secured,), life_s=life_s)

    @property
    def _is_strict(self) -> bool:
        return self.options.mode is Mode.ETDI_ONLY and not self.options.keep_legacy

    def _unsecured(self, tool: Mapping[str, Any]) -> Listing:
        if self._is_strict:
            self._hidden.add(str(tool.get("name")))
            return Listing(tools=())
        return Listing(tools=(dict(tool),))

    def _say_once(self, level: int, tool: str, text: str, *, about: str = "token") -> None:
        if self._said.get((tool, about)) != text:
            self._said[(tool, about)] = text
            _LOG.log(level, "%s: %s", tool, text)
