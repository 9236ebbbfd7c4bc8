"""Poisoned and harmless definitions of the project's own, and how the checks do on them.

``python -m tests.inspector.corpus`` prints the rates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from gateway.inspector.content import inspect_listing
from gateway.inspector.finding import Finding, Severity
from gateway.upstream.paypal.definitions import TOOLS

FOLDER: Final = Path(__file__).parent


class Sample(NamedTuple):
    """``poisoned`` is what its author meant, not what a check says."""

    part: str
    technique: str
    poisoned: bool
    wire: dict[str, Any]


class Rates(NamedTuple):
    """Of the samples, how many have a finding of that severity or worse."""

    poisoned: int
    caught: int
    benign: int
    alarmed: int

    @property
    def true_positives(self) -> float:
        """Share of the poisoned ones that are found."""
        return self.caught / self.poisoned

    @property
    def false_positives(self) -> float:
        """Share of the harmless ones that are accused."""
        return self.alarmed / self.benign


def samples() -> list[Sample]:
    """All of them."""
    made: list[Sample] = []
    for part in ("pairs", "holdout"):
        for one in _read(part):
            made += [
                Sample(part, one["technique"], kind == "poisoned", _wire(one["name"], one[kind]))
                for kind in ("poisoned", "benign")
            ]
    for one in _read("benign"):
        wire = _wire(one.pop("name"), one.pop("text"))
        made.append(Sample("benign", "none", False, {**wire, **one}))
    made += [Sample("paypal", "none", False, dict(tool.wire)) for tool in TOOLS.values()]
    return made


def findings_of(sample: Sample) -> tuple[Finding, ...]:
    """As a listing of this one tool; PayPal's tools in theirs."""
    return inspect_listing([sample.wire])[0]


def rates(of: Sequence[Sample], *, least: Severity) -> Rates:
    """``least``: HIGH counts HIGH only, MEDIUM both."""
    counting = {Severity.HIGH} if least is Severity.HIGH else {Severity.HIGH, Severity.MEDIUM}
    hit = [any(one.severity in counting for one in findings_of(sample)) for sample in of]
    poisoned = [found for sample, found in zip(of, hit, strict=True) if sample.poisoned]
    benign = [found for sample, found in zip(of, hit, strict=True) if not sample.poisoned]
    return Rates(len(poisoned), sum(poisoned), len(benign), sum(benign))


def _read(name: str) -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def _wire(name: str, said: str | Mapping[str, Any]) -> dict[str, Any]:
    members = {"description": said} if isinstance(said, str) else dict(said)
    return {"name": name, "inputSchema": {"type": "object", "properties": {}}, **members}
