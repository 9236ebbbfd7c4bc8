"""The candidate as an engine: a folder or a bundle in this process, or another OPA."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from pathlib import Path

from gateway.policy.embedded import Embedded
from gateway.policy.engine import Engine, PolicyRefused
from gateway.policy.loading import CAPABILITIES, LoadedPolicy, load_policy
from gateway.policy.opa import OpaSidecar
from gateway.settings.shadow import ShadowSettings
from gateway.workbench.bundle_folder import folder_of


async def candidate_of(settings: ShadowSettings, base: Path) -> tuple[Engine, str] | None:
    """The engine and its revision, which of an OPA is not known before it answers. None where no candidate is set.

    A folder without rules of its own is laid over ``base``, the live policy's folder.

    :raises PolicyRefused: what the gateway would refuse to take live, or what is no policy.
    """
    if settings.opa_url is not None:
        try:
            opa = OpaSidecar.at(
                settings.opa_url,
                clock=time.monotonic,
                deadline_s=settings.timeout_s,
                token=settings.opa_token,
            )
        except ValueError as problem:
            raise PolicyRefused(f"shadow.opa_url: {problem}") from None
        return opa, ""
    if settings.path is None:
        return None
    policy = await asyncio.to_thread(_loaded, Path(settings.path), base)
    return Embedded(policy, deadline_s=settings.timeout_s), policy.revision


def _loaded(path: Path, base: Path) -> LoadedPolicy:
    with tempfile.TemporaryDirectory(prefix="countersign-shadow-") as scratch:
        try:
            folder = folder_of(path, Path(scratch), base=base)
            live, beside = base.parent / CAPABILITIES, folder.parent / CAPABILITIES
            if folder.is_relative_to(scratch) and live.exists():
                # What was taken out of a bundle is held to the built-ins that the live policy may use.
                shutil.copy(live, beside)
        except OSError as problem:
            raise PolicyRefused(f"shadow.path: {path} cannot be read ({type(problem).__name__})") from None
        return load_policy(folder)
