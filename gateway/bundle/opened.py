"""The guard around a sidecar, and the bundles for sidecars, from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from starlette.routing import BaseRoute

from gateway.bundle.guard import GuardedEngine
from gateway.bundle.keys import read_public_key
from gateway.bundle.pages import bundle_routes
from gateway.bundle.shelf import BundleShelf
from gateway.errors import SettingsError, StoreUnavailable
from gateway.policy.engine import Engine
from gateway.settings.bundles import BundleSettings
from gateway.settings.model import PolicySettings
from gateway.state.store import Store
from gateway.stopping import stopped


async def guarded(
    engine: Engine, settings: PolicySettings, store: Store, stack: AsyncExitStack, *, now: Callable[[], float]
) -> Engine:
    """The engine, guarded if it is a sidecar: the embedded one proves each policy before it loads it, and reads a
    folder, which has no sequence. A store that does not answer yet keeps nobody from starting."""
    if settings.engine != "opa":
        return engine
    guard = GuardedEngine(
        engine, store, now=now, rollback=settings.rollback, rollout_s=settings.rollout_seconds
    )
    if settings.rollback != "allow":
        with suppress(StoreUnavailable):
            await guard.refresh()
        stack.push_async_callback(stopped, asyncio.create_task(guard.run()))
    return guard


def served_bundles(settings: BundleSettings) -> list[BaseRoute]:
    """The routes; none where nothing is handed out. :raises SettingsError: a folder or a key that cannot be used."""
    if settings.folder is None or settings.verification_key is None:
        return []
    folder = Path(settings.folder)
    if not folder.is_dir():
        raise SettingsError(f"bundles.folder: {settings.folder} is no folder.")
    try:
        key = read_public_key(Path(settings.verification_key).read_bytes())
    except (OSError, ValueError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else problem
        raise SettingsError(f"bundles.verification_key: {said}.") from None
    shelf = BundleShelf(folder, key, scope=settings.scope or "")
    return bundle_routes(shelf, token=settings.token)
