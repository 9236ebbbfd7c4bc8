"""What a Rego file says of its own rules: the METADATA blocks, and the codes that the rules give. Pure.

Read from the text, so that it works where there is no OPA (whose ``inspect`` is the reference:
https://www.openpolicyagent.org/docs/policy-language#metadata). Only what this project writes is understood: a block is
the comment lines below ``# METADATA``, and it is about the package or the rule that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import yaml

BLOCK = "# METADATA"
_CODE = re.compile(r'"([a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)"')
_PACKAGE = re.compile(r"package\s+([A-Za-z0-9_.]+)")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One annotated rule, or the package itself (``head`` is empty). ``line`` is that of the rule, from 1."""

    module: str
    package: str
    line: int
    head: str
    title: str
    description: str


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a rule names a code."""

    code: str
    module: str
    line: int
    rule: Rule | None


def rules_of(module: str, text: str) -> list[Rule]:
    """The annotated rules of one file, in order. A block that is no YAML object is left out: ``opa check`` says why."""
    lines = text.splitlines()
    package = _package(lines)
    found = []
    number = 0
    while number < len(lines):
        if lines[number] != BLOCK:
            number += 1
            continue
        begin = number + 1
        end = begin
        while end < len(lines) and lines[end].startswith("#"):
            end += 1
        block = _block([line[1:] for line in lines[begin:end]])
        number = end
        if block is None or end == len(lines):
            continue
        head = lines[end]
        found.append(
            Rule(
                module=module,
                package=package,
                line=end + 1,
                head="" if head.startswith("package ") else head.split(" if {")[0].rstrip("{ "),
                title=str(block.get("title", "")),
                description=" ".join(str(block.get("description", "")).split()),
            )
        )
    return found


def codes_of(module: str, text: str, rooms: frozenset[str]) -> list[Said]:
    """Every code of these rooms that the file's rules name. Comments and METADATA do not count."""
    rules = rules_of(module, text)
    heads = {rule.line: rule for rule in rules}
    # A helper that nobody annotated speaks for its package.
    package = next((rule for rule in rules if not rule.head), None)
    rule = package
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("#"):
            continue
        if line and not line[0].isspace() and not line.startswith(("else", "}", "import ")):
            rule = heads.get(number, package)
        for code in _CODE.findall(line):
            if code.split(".")[0] in rooms:
                found.append(Said(code=code, module=module, line=number, rule=rule))
    return found


def _package(lines: list[str]) -> str:
    return next(_names(lines), "")


def _names(lines: list[str]) -> Iterator[str]:
    for line in lines:
        match = _PACKAGE.match(line)
        if match:
            yield match[1]


def _block(lines: list[str]) -> dict[str, object] | None:
    try:
        block = yaml.safe_load("\n".join(lines))
    except yaml.YAMLError:
        return None
    return block if isinstance(block, dict) else None
