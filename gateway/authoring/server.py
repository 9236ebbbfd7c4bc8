"""A server of the ``mcp`` SDK whose tools are secured, and the same for a server that exists."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

from mcp.server import MCPServer
from mcp.server.lowlevel import Server
from mcp_types import Icon, ToolAnnotations

from gateway.authoring.declaration import declare
from gateway.authoring.etdi import Etdi
from gateway.authoring.middleware import EtdiMiddleware
from gateway.authoring.versions import FIRST_VERSION

F = TypeVar("F", bound=Callable[..., Any])
Lifespan = Callable[[MCPServer[Any]], AbstractAsyncContextManager[Any]]


class SecureServer(MCPServer[Any]):
    """``MCPServer`` with :class:`Etdi` around it. ``lifespan`` and everything else is as the SDK has it.

    Before the first client: every tool has its version, its signature and its token. At the end: connections to the
    identity provider are closed.
    """

    def __init__(self, name: str, *, etdi: Etdi, lifespan: Lifespan | None = None, **members: Any) -> None:
        super().__init__(name, lifespan=_around(etdi, lifespan), **members)
        self.etdi = etdi
        self.middleware.append(EtdiMiddleware(etdi))

    def tool(
        self,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: dict[str, Any] | None = None,
        structured_output: bool | None = None,  # noqa: FBT001 - the SDK's
        *,
        permissions: Iterable[str] | None = None,
        version: str | None = None,
        tool_id: str | None = None,
    ) -> Callable[[F], F]:
        """The SDK's decorator, with what ETDI wants to know.

        ``version`` is a new tool's first version; from then on the history counts, by what changed. Where none of the
        three is given the manifest's word counts; what is given must not differ from it.

        :raises ConfigInvalid: a permission, version or id that cannot be.
        """
        declaration = declare(permissions or (), tool_id=tool_id, version=version or FIRST_VERSION)
        says_nothing = permissions is None and version is None and tool_id is None
        add = super().tool(name, title, description, annotations, icons, meta, structured_output)

        def decorator(function: F) -> F:
            if not says_nothing:
                self.etdi.declare(name or function.__name__, declaration)
            return add(function)

        return decorator


def _around(etdi: Etdi, inner: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(server: MCPServer[Any]) -> AsyncIterator[Any]:
        tools = [
            tool.model_dump(by_alias=True, mode="json", exclude_none=True)
            for tool in await server.list_tools()
        ]
        async with etdi.running(tools):
            if inner is None:
                yield {}
            else:
                async with inner(server) as context:
                    yield context

    return lifespan


def secure(server: Server[Any], etdi: Etdi) -> None:
    """Put ``etdi`` around a low-level server that exists. Its tools get their tokens at the first listing."""
    inner = server.lifespan

    @asynccontextmanager
    async def lifespan(running: Server[Any]) -> AsyncIterator[Any]:
        async with etdi.running(), inner(running) as context:
            yield context

    server.lifespan = lifespan
    server.middleware.append(EtdiMiddleware(etdi))


def secure_high_level(server: MCPServer[Any], etdi: Etdi) -> None:
    """Put ``etdi`` around an ``MCPServer`` that exists (a :class:`SecureServer` has it already).

    The SDK takes a lifespan only when such a server is made, so whoever runs it does so inside ``etdi.running()``.
    """
    server.middleware.append(EtdiMiddleware(etdi))
