"""Who receives, in one spelling: what budgets by payee count under. Pure.

The *one* place where the payees of a call are read off its money, for the question and for the accounts.

Attack: the same payee in another spelling, to have its budget once more. Targets take mail addresses in any case, and
some trim blanks; letters that look alike or cannot be seen are folded where Unicode folds them (UAX 15 NFKC, UTS 18
case folding), and characters that show nothing are dropped. NOT seen: two addresses, or an address and a merchant id,
that belong to one account at the target. Whoever must bound the sum over all of them uses ``payee: any``.
"""

from __future__ import annotations

import unicodedata

from gateway.policy.money import Money

ROUNDS = 4
"""More than any text was found to need."""
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})


def payees_of(money: Money | None) -> tuple[str, ...]:
    """The payees of a call, each once, in order; none where nobody could tell. Of several, each counts the whole
    amount: how much of it is whose, no tool says."""
    if money is None:
        return ()
    named = money.payees or (() if money.payee is None else (money.payee,))
    spelt = [one_spelling(one) for one in named]
    return tuple(dict.fromkeys(spelt)) if all(spelt) else ()


def one_spelling(payee: str) -> str:
    """The spelling that all spellings of a payee have in common; empty where nothing of it can be seen."""
    for _ in range(ROUNDS):
        folded = _folded(payee)
        if folded == payee:
            break
        payee = folded  # what was dropped stood between two characters that compose
    return payee


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(one for one in folded if unicodedata.category(one) not in _INVISIBLE)
