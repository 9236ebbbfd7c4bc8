"""A policy folder -> a policy that may go live, or a refusal that says why. Blocking; some tenths of a second."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.errors import PolicyUnavailable
from gateway.policy.engine import Entrypoint, Failure, PolicyRefused, unavailable
from gateway.policy.patterns import PatternRefused, check_rules
from gateway.policy.plan import complaints
from gateway.policy.rego_cpp import UNDEFINED, Bundle, Interpreter
from gateway.policy.revision import ROOT, read_policy
from gateway.policy.vectors import VECTORS

CAPABILITIES = "capabilities.json"
"""Beside the folder: OPA's list of built-ins that policies may use. Without it, all that rego-cpp has."""


class LoadedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A compiled policy that passed every check. May be shared between threads."""

    bundle: Bundle
    revision: str


def load_policy(folder: Path, *, only: str | None = None) -> LoadedPolicy:
    """Read, compile, inspect the plan, ask the known vectors. ``only``: no other revision than this.

    Raises PolicyRefused; nothing is kept then. NOT survived: what rego-cpp ends the process for (``trial.py``).
    """
    source = read_policy(folder)
    if only is not None and source.revision != only:
        raise PolicyRefused(f"{folder}: was edited again meanwhile")
    try:
        check_rules(source.data.get(ROOT, {}).get("arguments", {}).get("rules"))
    except PatternRefused as problem:
        # A caller's argument under such a pattern holds this engine up for hours, or ends the process.
        raise PolicyRefused(f"arguments/data.yaml: {problem}") from None
    allowed = _allowed_builtins(folder.parent / CAPABILITIES)
    bundle = Bundle(source.modules, source.data, list(Entrypoint))

    def has_builtin(name: str) -> bool:
        return bundle.is_builtin(name) and (allowed is None or name in allowed)

    found = complaints(bundle.plan(), has_builtin=has_builtin)
    if found:
        raise PolicyRefused("; ".join(found[:5]))
    _prove(bundle)
    return LoadedPolicy(bundle=bundle, revision=source.revision)


def evaluate(
    interpreter: Interpreter, policy: LoadedPolicy, entrypoint: Entrypoint, document: bytes
) -> bytes | None:
    """Evaluate one rule; its value as JSON, None if undefined. Raises PolicyUnavailable. For one thread at a time."""
    try:
        question = msgspec.json.decode(document)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise unavailable(Failure.QUESTION, "The question is not JSON that this engine reads.") from None
    value = interpreter.evaluate(policy.bundle, entrypoint, question)
    return None if value is UNDEFINED else msgspec.json.encode(value)


def _prove(bundle: Bundle) -> None:
    """`Bundle.ok()` proves nothing: the policy must say no where every policy must."""
    candidate = LoadedPolicy(bundle=bundle, revision="candidate")
    interpreter = Interpreter()
    for vector in VECTORS:
        try:
            result = evaluate(interpreter, candidate, vector.entrypoint, vector.document)
        except PolicyUnavailable as error:
            raise PolicyRefused(f"{vector.entrypoint}: {vector.name}: {error.message}") from error
        if problem := vector.problem(result):
            raise PolicyRefused(problem)


class _Builtin(msgspec.Struct):
    name: str


class _Capabilities(msgspec.Struct):
    builtins: list[_Builtin]


def _allowed_builtins(path: Path) -> frozenset[str] | None:
    """The built-ins of a capabilities file; None without one. An unreadable one is refused, not ignored."""
    if not path.exists():
        return None
    try:
        capabilities = msgspec.json.decode(path.read_bytes(), type=_Capabilities)
    except (OSError, msgspec.DecodeError) as error:
        raise PolicyRefused(f"{path.name}: is not a capabilities file of OPA") from error
    return frozenset(builtin.name for builtin in capabilities.builtins)
