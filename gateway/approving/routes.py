"""The pages and the API about tools, put together."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute

from gateway.approving.api import ApprovalApi
from gateway.approving.book import ApprovalBook
from gateway.approving.deciding import Deciding
from gateway.approving.origin import Origins
from gateway.approving.pages import ToolPages
from gateway.approving.review import Reviews
from gateway.approving.words import told
from gateway.audit.ledger import Audit
from gateway.console.browser import Site
from gateway.console.permission import AdminPolicy, Permissions
from gateway.console.render import Render
from gateway.console.session import Sessions
from gateway.identity.verifier import Identity
from gateway.shelf import Shelf


def tool_routes(
    shelf: Shelf,
    *,
    audit: Audit,
    identity: Identity,
    policy: AdminPolicy,
    public_url: str,
    now: Callable[[], float],
) -> list[BaseRoute]:
    """Before the console's own routes."""
    site = Site(public_url)
    sessions, permissions = Sessions(shelf.store, now=now), Permissions(policy)
    book = ApprovalBook(audit)
    origins = Origins(shelf.verifier, shelf.trust, shelf.known, now=now)
    reviews = Reviews(shelf.catalog, shelf.approvals, shelf.classes, origins, now=now)
    deciding = Deciding(shelf.catalog, shelf.approvals, book, told=told, now=now)
    api = ApprovalApi(
        identity=identity,
        site=site,
        sessions=sessions,
        permissions=permissions,
        reviews=reviews,
        deciding=deciding,
        book=book,
        classes=shelf.classes,
    )
    pages = ToolPages(
        site=site,
        render=Render(base=site.base),
        sessions=sessions,
        permissions=permissions,
        reviews=reviews,
        deciding=deciding,
        book=book,
        classes=shelf.classes,
        now=now,
    )
    return [*api.routes(), *pages.routes()]
