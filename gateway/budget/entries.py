"""The operator's budgets as Python reads them: the same file that Rego reads, for people who look at what is left.

Nothing is decided here: which budget concerns a call, and what its limit is, says the policy's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.budget.currency import minor_of
from gateway.policy.data_file import DataFileError, parse_yaml
from gateway.policy.decision import MAX_BUDGET_WINDOW_S
from gateway.policy.engine import PolicyRefused
from gateway.policy.payees import one_spelling

Name = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,64}\Z")]
Named = Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
Selection = Literal["any", "each"] | Named
Decimals = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?\Z")]


class Budget(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; ``limits`` by currency."""

    caller: Selection
    tool: Selection
    payee: Selection
    window_seconds: Annotated[int, Meta(ge=60, le=MAX_BUDGET_WINDOW_S)]
    limits: Annotated[dict[Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")], Decimals], Meta(min_length=1)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    budgets: dict[Name, Budget]


def load_budgets(policy_folder: Path) -> Mapping[str, Budget]:
    """From ``budgets/data.yaml`` under the policy folder.

    :raises PolicyRefused: the file is missing or damaged, has a limit that is no amount of its currency, or lists a
        payee in a spelling under which none is ever counted.
    """
    path = policy_folder / "budgets" / "data.yaml"
    try:
        found = msgspec.convert(parse_yaml(path.read_text(encoding="utf-8")), _File).budgets
        for name, budget in found.items():
            _check(name, budget)
    except OSError as problem:
        raise PolicyRefused(f"{path.name} of the budgets cannot be read: {problem.strerror}.") from None
    except (DataFileError, ValueError) as problem:  # msgspec's errors are ValueErrors
        raise PolicyRefused(f"budgets/data.yaml: {problem}") from None
    return found


def _check(name: str, budget: Budget) -> None:
    for currency, limit in budget.limits.items():
        try:
            minor_of(limit, currency)
        except ValueError as problem:
            raise ValueError(f"{name}, limits, {currency}: {problem}") from None
    for payee in () if isinstance(budget.payee, str) else budget.payee:
        if one_spelling(payee) != payee:
            raise ValueError(f"{name}, payee: write {one_spelling(payee)!r}")
