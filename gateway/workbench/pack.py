"""A policy folder as its author sees it: modules, data, the catalogue of reasons, and which rule says which code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from gateway.policy.revision import ROOT, PolicySource, read_policy
from gateway.workbench.annotations import Rule, Said, codes_of, rules_of


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of ``reasons/data.yaml`` or ``site/data.yaml``. What is missing is empty; the linter says so."""

    outcome: str = ""
    message: str = ""
    remedy: str = ""


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """What is in the folder. ``said``: code -> the places that name it, in the order of the files."""

    folder: str
    source: PolicySource
    rules: tuple[Rule, ...]
    reasons: dict[str, Reason]
    said: dict[str, tuple[Said, ...]]

    @property
    def data(self) -> dict[str, Any]:
        """``data.gateway``, without the rules."""
        found = self.source.data.get(ROOT, {})
        return found if isinstance(found, dict) else {}


def read_pack(folder: Path) -> Pack:
    """Read it. Whether it compiles is not looked at.

    :raises PolicyRefused: a file cannot be read, or is no data file.
    """
    source = read_policy(folder)
    tree = source.data.get(ROOT, {})
    catalogue = _object(_object(tree, "reasons"), "catalogue")
    # As the policy looks them up: a site's texts for its own codes, and the catalogue wins.
    of_site = _object(_object(tree, "site"), "reasons")
    texts = {**{code: of_site[code] for code in of_site if code.startswith("site.")}, **catalogue}
    reasons = {code: _reason(entry) for code, entry in texts.items()}
    packages = {path.split("/")[1] for path in source.modules if path.count("/") > 1}
    rooms = frozenset({code.split(".")[0] for code in reasons} | packages)
    said: dict[str, list[Said]] = {}
    rules: list[Rule] = []
    for module, text in sorted(source.modules.items()):
        rules += rules_of(module, text)
        for one in codes_of(module, text, rooms):
            said.setdefault(one.code, []).append(one)
    return Pack(
        folder=str(folder),
        source=source,
        rules=tuple(rules),
        reasons=reasons,
        said={code: _at_home(code, places) for code, places in said.items()},
    )


def _at_home(code: str, places: list[Said]) -> tuple[Said, ...]:
    """Where it is said; another room that asks whether it was said does not say it."""
    home = f"gateway/{code.split('.')[0]}/"
    return tuple(one for one in places if one.module.startswith(home)) or tuple(places)


def _object(value: Any, key: str) -> dict[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _reason(entry: Any) -> Reason:
    if not isinstance(entry, dict):
        return Reason()
    return Reason(
        outcome=_text(entry.get("outcome")),
        message=_text(entry.get("message")),
        remedy=_text(entry.get("remedy")),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
