"""Liveness and readiness, and where OAuth clients find their way: small documents for machines."""

from __future__ import annotations

from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.errors import StoreUnavailable
from gateway.policy.engine import Readiness


class _Engine(Protocol):
    async def ready(self) -> Readiness: ...


class _Store(Protocol):
    async def ping(self) -> None: ...


class _Audit(Protocol):
    @property
    def healthy(self) -> bool: ...


class Probe:
    """Asks the parts whether they work. Says nothing about their addresses."""

    def __init__(self, *, engine: _Engine, store: _Store, audit: _Audit) -> None:
        self._engine = engine
        self._store = store
        self._audit = audit

    async def readiness(self) -> dict[str, Any]:
        """For the operator: ``ready`` is true only when a call could be judged, remembered and recorded right now."""
        engine = await self._engine.ready()
        state = True
        try:
            await self._store.ping()
        except StoreUnavailable:
            state = False
        policy = {"ready": engine.ready, "engine": engine.engine, "revision": engine.revision}
        if engine.stale:
            policy["stale"] = True
        if engine.error is not None:
            policy["error"] = engine.error
        return {
            "ready": engine.ready and state and self._audit.healthy,
            "policy": policy,
            "state": {"ready": state},
            "audit": {"ready": self._audit.healthy},
        }


def health_routes(probe: Probe) -> list[BaseRoute]:
    """``/healthz``: the process answers. ``/readyz``: it could do its job; 503 if not.

    Yes or no: anybody may ask, and which part is broken is what an attacker would like to know (a gateway without its
    audit, an engine of a certain kind, an edit of the policy). The operator has the log and ``countersign check``.
    """

    async def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(_: Request) -> Response:
        yes = (await probe.readiness())["ready"]
        return JSONResponse({"ready": yes}, status_code=200 if yes else 503)

    return [Route("/healthz", alive), Route("/readyz", ready)]
