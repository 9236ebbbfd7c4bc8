"""Questions whose answers every policy must give, asked before a policy goes live and for readiness.

A bundle that built may still be worthless: rego-cpp reports success for recursion, unknown functions and unsafe
variables, OPA answers `{}` for a package that is not there. So a policy proves itself by saying no.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from gateway.policy.engine import Entrypoint


class Vector(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `want` is where the answer's outcome stands; it must be `deny`."""

    name: str
    entrypoint: Entrypoint
    document: bytes
    want: Literal["deny", "every tool denied"] = "deny"

    def problem(self, result: bytes | msgspec.Raw | None) -> str | None:
        """What is wrong with this answer; None if it is one well-formed no."""
        if result is None:
            return f"{self.entrypoint}: undefined for {self.name}"
        try:
            answer = msgspec.json.decode(result)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return f"{self.entrypoint}: not JSON for {self.name}"
        if not isinstance(answer, dict):
            return f"{self.entrypoint}: not an object for {self.name}"
        judged = answer.get("tools") if self.want == "every tool denied" else {"": answer}
        if not isinstance(judged, dict):
            return f"{self.entrypoint}: no `tools` for {self.name}"
        for verdict in judged.values():
            if not isinstance(verdict, dict) or verdict.get("outcome") != "deny":
                return f"{self.entrypoint}: not denied: {self.name}"
        return None


_CALLER: dict[str, Any] = {
    "issuer": "https://vector.invalid",
    "subject": "vector",
    "client_id": None,
    "scopes": [],
    "roles": [],
    "key_thumbprint": None,
    "proof": {"present": False, "valid": False},
}
_CALL = {
    "id": "00000000-0000-4000-8000-000000000000",
    "time": 1_795_224_000,
    "server": "paypal",
    "method": "tools/call",
    "protocol": "2026-07-28",
    "era": "modern",
    "client": {"name": "vector", "version": "1", "can_elicit": [], "can_input_required": False},
}
_ENV = {"paypal": "sandbox", "now": 1_795_224_000, "state": "ok"}


def _tool(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "version": "1.0.0",
        "definition_hash": "0" * 64,
        "provider": "vector",
        "permissions": [],
        "annotations": {"readOnlyHint": True},
        "etdi": {"status": "verified", "evidence": "release", "error": None},
        "first_seen": 1_795_000_000,
        "content": {"severity": "NONE", "codes": []},
    }


def _approval() -> dict[str, Any]:
    return {
        "version": "1.0.0",
        "definition_hash": "0" * 64,
        "provider": "vector",
        "requested": [],
        "approved": [],
        "by": "vector",
        "at": 1_795_000_000,
        "expires": None,
        "revoked": False,
    }


def _question(tool: str) -> bytes:
    """A call with everything in order but the tool's name: verified, approved, confirmed by three people."""
    confirmation = {"by": "human", "assurance": "oidc", "at": 1_795_223_990, "view_hash": "0" * 64}
    return msgspec.json.encode(
        {
            "call": _CALL,
            "caller": _CALLER,
            "tool": _tool(tool),
            "approval": _approval(),
            "arguments": {},
            "arguments_hash": "0" * 64,
            "schema": {"valid": True, "errors": []},
            "money": None,
            "consent": {
                "handshake": {"satisfied": True, "age_s": 1},
                "confirmations": [{**confirmation, "who": f"person-{number}"} for number in range(3)],
            },
            "env": _ENV,
        }
    )


def _listing(*tools: str) -> bytes:
    listed = [{"tool": _tool(name), "approval": _approval()} for name in tools]
    return msgspec.json.encode({"caller": _CALLER, "env": _ENV, "call": _CALL, "tools": listed})


def _administration(action: str) -> bytes:
    person = {"issuer": "https://vector.invalid", "subject": "vector", "roles": [], "assurance": "oidc"}
    return msgspec.json.encode({"action": action, "person": person, "target": {}, "env": _ENV})


def _passage(method: str) -> bytes:
    call = {**_CALL, "method": method, "target": None}
    # With the role that may do the most: a policy that lets such callers do anything must not go live.
    caller = {**_CALLER, "roles": ["agent"]}
    return msgspec.json.encode({"call": call, "caller": caller, "env": _ENV})


VECTORS = (
    Vector(name="an empty question", entrypoint=Entrypoint.DECISION, document=b"{}"),
    Vector(name="an unknown tool", entrypoint=Entrypoint.DECISION, document=_question("vector_unknown")),
    Vector(name="a misspelt tool", entrypoint=Entrypoint.DECISION, document=_question("create_refnd")),
    Vector(name="a tool without a name", entrypoint=Entrypoint.DECISION, document=_question("")),
    Vector(
        name="an empty listing", entrypoint=Entrypoint.LISTING, document=_listing(), want="every tool denied"
    ),
    Vector(
        name="a listing of unknown tools",
        entrypoint=Entrypoint.LISTING,
        document=_listing("vector_unknown", "create_refnd"),
        want="every tool denied",
    ),
    Vector(name="an empty request to administer", entrypoint=Entrypoint.ADMIN, document=b"{}"),
    Vector(name="an unknown action", entrypoint=Entrypoint.ADMIN, document=_administration("vector_unknown")),
    Vector(name="an empty request to pass", entrypoint=Entrypoint.PASSAGE, document=b"{}"),
    Vector(name="an unknown method", entrypoint=Entrypoint.PASSAGE, document=_passage("vector/unknown")),
)
