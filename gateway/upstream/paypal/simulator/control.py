"""``/_simulator``: set faults, see calls, approve as the buyer, start over. No authentication: loopback only.

POST /_simulator/faults        one :class:`.faults.Fault` as JSON
DELETE /_simulator/faults      none any more
GET /_simulator/calls          what arrived, in order
POST /_simulator/reset         back to the seeds
POST /_simulator/orders/{id}/approve and /_simulator/subscriptions/{id}/approve
GET /_simulator/seeds          the ids that are there at the start
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.upstream.paypal.simulator import seeds
from gateway.upstream.paypal.simulator.faults import Fault
from gateway.upstream.paypal.simulator.ledger import Resource
from gateway.upstream.paypal.simulator.paypal import PayPalSimulator

_SEEDS = {
    name.lower(): value for name, value in vars(seeds).items() if name.isupper() and isinstance(value, str)
}


def control_routes(simulator: PayPalSimulator) -> list[Route]:
    """The routes under ``/_simulator``."""

    async def add_fault(request: Request) -> Response:
        try:
            fault = msgspec.json.decode(await request.body(), type=Fault)
        except msgspec.DecodeError as error:
            return _json({"error": str(error)}, 400)
        simulator.faults.add(fault)
        return Response(status_code=204)

    async def clear_faults(_: Request) -> Response:
        simulator.faults.clear()
        return Response(status_code=204)

    async def calls(_: Request) -> Response:
        shown = ("method", "path", "query", "request_id", "prefer", "body", "status")
        return _json({"calls": [{name: getattr(call, name) for name in shown} for call in simulator.calls]})

    async def reset(_: Request) -> Response:
        simulator.reset()
        return Response(status_code=204)

    async def show_seeds(_: Request) -> Response:
        return _json(_SEEDS)

    def approval(approve: Callable[[str], Resource]) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            try:
                return _json(approve(request.path_params["id"]))
            except KeyError:
                return _json({"error": "there is no such resource"}, 404)

        return endpoint

    return [
        Route("/_simulator/faults", add_fault, methods=["POST"]),
        Route("/_simulator/faults", clear_faults, methods=["DELETE"]),
        Route("/_simulator/calls", calls, methods=["GET"]),
        Route("/_simulator/reset", reset, methods=["POST"]),
        Route("/_simulator/seeds", show_seeds, methods=["GET"]),
        Route("/_simulator/orders/{id}/approve", approval(simulator.approve_order), methods=["POST"]),
        Route(
            "/_simulator/subscriptions/{id}/approve",
            approval(simulator.approve_subscription),
            methods=["POST"],
        ),
    ]


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
