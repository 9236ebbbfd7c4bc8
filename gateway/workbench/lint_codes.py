"""Rules and the catalogue of reasons, held against each other; rules that another rule stands in front of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.policy.decision import Outcome
from gateway.workbench.finding import Finding
from gateway.workbench.pack import Pack

CATALOGUE = "gateway/reasons/data.yaml"
SITE = "gateway/site/data.yaml"
_OUTCOMES = frozenset(outcome.value for outcome in Outcome)
_BRANCH = re.compile(r"^(?:.*?\belse\b )?.*?:= (?P<value>\"[^\"]*\") if (?P<body>.+)$")
_SET = re.compile(r"^codes contains (?P<value>\"[^\"]*\") if (?P<body>.+)$")


def lint_codes(pack: Pack) -> list[Finding]:
    """Codes without a text, texts that nobody says, and conditions that were asked before."""
    return [*_unknown(pack), *_unsaid(pack), *_incomplete(pack), *_shadowed(pack)]


def _unknown(pack: Pack) -> Iterator[Finding]:
    for code, places in sorted(pack.said.items()):
        if code not in pack.reasons:
            yield Finding(
                check="codes",
                severity="error",
                where=f"{places[0].module}:{places[0].line}",
                message=f"the code {code!r} has no entry in the catalogue of reasons",
                remedy=f"add {code} with outcome, message and remedy to {_home(code)}",
            )


def _unsaid(pack: Pack) -> Iterator[Finding]:
    for code in sorted(pack.reasons):
        if code not in pack.said:
            yield Finding(
                check="codes",
                severity="warning",
                where=f"{_home(code)}: {code}",
                message="no rule says this code: it can never be a reason",
                remedy="delete the entry, or write the rule",
            )


def _incomplete(pack: Pack) -> Iterator[Finding]:
    for code, reason in sorted(pack.reasons.items()):
        if reason.outcome not in _OUTCOMES:
            yield _lacks(code, f"the outcome {reason.outcome!r} does not exist", "deny")
        elif not reason.message.strip() or not reason.remedy.strip():
            yield _lacks(code, "the message or the remedy is empty", reason.outcome)


def _lacks(code: str, message: str, outcome: str) -> Finding:
    return Finding(
        check="codes",
        severity="error",
        where=f"{_home(code)}: {code}",
        message=message,
        remedy=f"{{outcome: {outcome}, message: what is wrong, remedy: what helps}}",
    )


def _home(code: str) -> str:
    """The file where the code's text belongs; the one code of the site's room that ships stands in the catalogue."""
    return SITE if code.startswith("site.") and code != "site.unusable" else CATALOGUE


def _shadowed(pack: Pack) -> Iterator[Finding]:
    """Of two branches with one condition the second is never reached; of two rules of a set, one says too much."""
    for module, text in sorted(pack.source.modules.items()):
        branches: dict[str, str] = {}
        contained: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if line and not line[0].isspace() and not line.startswith(("else", "}")):
                branches = {}
            seen = contained if line.startswith("codes contains") else branches
            found = (_SET if seen is contained else _BRANCH).match(line)
            if found is None or found["body"].strip() == "{":
                continue
            body, value = " ".join(found["body"].split()), found["value"]
            if body in seen and (seen is branches or seen[body] != value):
                yield Finding(
                    check="shadowed",
                    severity="warning",
                    where=f"{module}:{number}",
                    message=f"{value} has the condition of {seen[body]} before it",
                    remedy="give it a condition of its own, or delete it",
                )
            seen.setdefault(body, value)
