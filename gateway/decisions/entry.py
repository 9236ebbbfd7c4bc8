"""One line of the decision log. Values, and what may be kept of a question. Pure.

What is kept is the operator's word, in the policy's own data (``decisions/data.yaml``). Without that word the arguments
are hashed: too little is kept, never too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import msgspec

from gateway.policy.data_file import DataFileError, parse_yaml
from gateway.policy.engine import PolicyRefused

MASK = "[masked]"
VERSION = 1


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A question as it was put, but for what is not kept, and the answer as the engine gave it.

    ``time`` is unix seconds. ``arguments``: whether they are whole, masked in places, or only hashed. ``answer`` is
    None where the rule was undefined.
    """

    v: int = VERSION
    time: float
    arguments: Literal["kept", "masked", "hashed"]
    question: dict[str, Any]
    answer: dict[str, Any] | None
    revision: str
    engine: str
    decision_id: str | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    arguments: Literal["keep", "hash"]
    masked: dict[str, tuple[str, ...]]


class Kept:
    """What may be kept of the arguments of each tool."""

    def __init__(self, *, keep: bool, masked: Mapping[str, Sequence[str]]) -> None:
        self._keep = keep
        self._masked = {name: [_steps(pointer) for pointer in places] for name, places in masked.items()}

    @classmethod
    def load(cls, policy_folder: Path) -> Self:
        """From ``decisions/data.yaml`` under the policy folder; without that file arguments are hashed.

        :raises PolicyRefused: the file is damaged.
        """
        path = policy_folder / "decisions" / "data.yaml"
        try:
            found = msgspec.convert(parse_yaml(path.read_text(encoding="utf-8")), _File)
        except FileNotFoundError:
            return cls(keep=False, masked={})
        except (OSError, DataFileError, msgspec.ValidationError) as problem:
            raise PolicyRefused(f"decisions/data.yaml: {problem}") from None
        return cls(keep=found.arguments == "keep", masked=found.masked)

    def of(self, question: dict[str, Any]) -> tuple[dict[str, Any], Literal["kept", "masked", "hashed"]]:
        """The question with what may be kept of its arguments. The input is left untouched."""
        arguments = question.get("arguments")
        if not self._keep or not isinstance(arguments, dict):
            names = arguments if isinstance(arguments, dict) else {}
            return _without_addresses({**question, "arguments": dict.fromkeys(names, MASK)}), "hashed"
        call, tool = question.get("call"), question.get("tool")
        server = call.get("server") if isinstance(call, dict) else None
        name = tool.get("name") if isinstance(tool, dict) else None
        masked = arguments
        paths = (*self._masked.get(f"{server}/{name}", ()), *self._masked.get(str(name), ()))
        for path in paths:
            masked = _mask(masked, path)
        kept = question if masked == arguments else {**question, "arguments": masked}
        kept = _without_addresses(kept) if paths else kept
        return kept, "kept" if kept == question else "masked"


def _without_addresses(question: dict[str, Any]) -> dict[str, Any]:
    """Who pays and who receives may be named by the very address that is masked among the arguments, or by one that was
    looked up; twice, since budgets count by payee. Account ids stay."""
    shown = {}
    for part in ("money", "usage"):
        facts = question.get(part)
        if isinstance(facts, dict) and "@" in str(facts):
            shown[part] = {name: _unnamed(value) for name, value in facts.items()}
    return {**question, **shown} if shown else question


def _unnamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_unnamed(one) for one in value]
    return MASK if isinstance(value, str) and "@" in value else value


def _steps(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _mask(value: Any, path: list[str]) -> Any:
    if not path:
        return MASK
    step, rest = path[0], path[1:]
    if isinstance(value, dict) and step in value:
        return {**value, step: _mask(value[step], rest)}
    if isinstance(value, list) and step == "*":
        return [_mask(one, rest) for one in value]
    return value
