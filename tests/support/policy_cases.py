"""The cases of tests/policy/cases as values, and the policy folders that they are asked of."""

import copy
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "policies"
CHECKS = POLICIES / "checks"
BUNDLES = ROOT / "bundles"
CASES = ROOT / "tests" / "policy" / "cases"

Document = dict[str, Any]
Pointers = dict[str, Any]


class Want(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the answer must be; UNSET is not looked at."""

    outcome: str | None = None
    codes: tuple[str, ...] = ()
    class_: int | msgspec.UnsetType | None = msgspec.field(name="class", default=msgspec.UNSET)
    tier: str | msgspec.UnsetType | None = msgspec.UNSET
    phase: str | msgspec.UnsetType | None = msgspec.UNSET
    would_be: str | msgspec.UnsetType | None = msgspec.UNSET
    obligations: Document | msgspec.UnsetType = msgspec.UNSET
    warns: tuple[str, ...] = ()
    tools: dict[str, str] = {}
    hidden: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which policy a case is about: the default one, an overlay, or changed data."""

    overlay: str | None = None
    data: Pointers = {}
    without: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Equal for equal policies."""
        return msgspec.json.encode(self, order="deterministic").decode()


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One question and what must come back."""

    name: str
    entrypoint: Literal["decision", "listing", "admin", "passage"]
    question: Document
    policy: Policy
    want: Want

    def problems(self, answer: Any) -> list[str]:
        """How the answer differs from what is wanted; empty if it does not."""
        if not isinstance(answer, dict):
            return [f"the answer is {answer!r}"]
        got, want = (_listing if self.entrypoint == "listing" else _decision)(answer, self.want)
        return [f"{key}: {got[key]!r} instead of {want[key]!r}" for key in want if got[key] != want[key]]


class _Raw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    case: str
    base: str
    want: Want
    entrypoint: Literal["decision", "listing", "admin", "passage"] = "decision"
    change: Pointers = {}
    remove: tuple[str, ...] = ()
    each: Pointers = {}
    overlay: str | None = None
    data: Pointers = {}
    without: tuple[str, ...] = ()


class _Base(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    document: Document | None = None
    from_: str | None = msgspec.field(name="from", default=None)
    change: Pointers = {}


def load_cases() -> list[Case]:
    """Every case, `each` written out; names are unique."""
    bases = msgspec.convert(_yaml(CASES / "bases.yaml"), dict[str, _Base])
    cases: list[Case] = []
    for path in sorted(CASES.glob("*.yaml")):
        if path.name != "bases.yaml":
            for raw in msgspec.convert(_yaml(path), list[_Raw]):
                cases.extend(_cases(f"{path.stem}: {raw.case}", raw, bases))
    assert len({case.name for case in cases}) == len(cases)
    return cases


def base_question(name: str) -> Document:
    """One of the questions of ``bases.yaml``."""
    return _document(name, msgspec.convert(_yaml(CASES / "bases.yaml"), dict[str, _Base]))


def write_policy_of(policy: Policy, folder: Path) -> Path:
    """`folder/gateway` as bundles/README.md says: the default policy, the overlay's files over it, then data."""
    tree = folder / "gateway"
    shutil.copytree(POLICIES / "gateway", tree, ignore=shutil.ignore_patterns("*_test.rego"))
    if policy.overlay:
        shutil.copytree(BUNDLES / policy.overlay / "gateway", tree, dirs_exist_ok=True)
    for pointer in (*policy.data, *policy.without):
        _, room, *_ = pointer.split("/")
        path = tree / room / "data.yaml"
        document = {room: _yaml(path)}
        change = {pointer: policy.data[pointer]} if pointer in policy.data else {}
        changed = patched(document, change, () if change else (pointer,))
        path.write_text(yaml.safe_dump(changed[room]), encoding="utf-8")
    return tree


def patched(document: Document, change: Mapping[str, Any], remove: tuple[str, ...] = ()) -> Document:
    """A copy with other values at some JSON pointers, and without others."""
    result = copy.deepcopy(document)
    for pointer, value in change.items():
        parent, last = _parent(result, pointer)
        parent[last] = copy.deepcopy(value)
    for pointer in remove:
        parent, last = _parent(result, pointer)
        del parent[last]
    return result


def _cases(name: str, raw: _Raw, bases: Mapping[str, _Base]) -> Iterator[Case]:
    document = patched(_document(raw.base, bases), raw.change, raw.remove)
    policy = Policy(overlay=raw.overlay, data=raw.data, without=raw.without)
    if not raw.each:
        yield Case(name=name, entrypoint=raw.entrypoint, question=document, policy=policy, want=raw.want)
    for pointer, values in raw.each.items():
        for value in values:
            yield Case(
                name=f"{name} ({msgspec.json.encode(value).decode()})",
                entrypoint=raw.entrypoint,
                question=patched(document, {pointer: value}),
                policy=policy,
                want=raw.want,
            )


def _document(name: str, bases: Mapping[str, _Base]) -> Document:
    base = bases[name]
    start = _document(base.from_, bases) if base.from_ else base.document
    assert start is not None
    return patched(start, base.change)


def _decision(answer: Document, want: Want) -> tuple[Document, Document]:
    obligations = answer.get("obligations", {})
    reasons = answer["reasons"]
    got = {
        "outcome": answer["outcome"],
        "codes": sorted(one["code"] for one in reasons if one["outcome"] == answer["outcome"]),
        "class": answer.get("data_class"),
        "tier": answer.get("tier"),
        "phase": answer.get("phase"),
        "would_be": answer.get("would_be"),
        "obligations": obligations,
        "warns": sorted(text.partition(":")[0] for text in obligations.get("warn", ())),
    }
    wanted = msgspec.to_builtins(want, str_keys=True)
    wanted["codes"] = sorted(want.codes)
    wanted["warns"] = sorted(want.warns)
    if not want.warns:
        del wanted["warns"]
    return got, {key: wanted[key] for key in wanted if key in got}


def _listing(answer: Document, want: Want) -> tuple[Document, Document]:
    tools = answer["tools"]
    got = {
        "tools": {name: row["outcome"] for name, row in tools.items()},
        "hidden": sorted(name for name, row in tools.items() if not row["visible"]),
    }
    return got, {"tools": want.tools, "hidden": sorted(want.hidden)}


def _parent(document: Any, pointer: str) -> tuple[Any, Any]:
    *steps, last = pointer.removeprefix("/").split("/")
    for step in steps:
        document = document[int(step) if isinstance(document, list) else step]
    return document, int(last) if isinstance(document, list) else last


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
