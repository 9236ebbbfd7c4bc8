"""Which names are one person. Pure; no policy: who may confirm what is said in Rego, by the names that come from here.

Attack: one person signs twice, spelt in two ways, and is taken for two; or the caller signs its own call under another
spelling of its name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import msgspec

from gateway.policy.decision import ConfirmObligation
from gateway.policy.question import Confirmation


def same_name(one: str, other: str) -> bool:
    """Whether two subjects could be one person: case, compatibility forms and outer blanks do not make two.

    Issuers are left out on purpose. Attack: the caller signs in at the console by another way (a link instead of
    the identity provider), is another issuer there, and countersigns its own call.
    """
    return _folded(one) == _folded(other)


def with_one_spelling(confirmations: Iterable[Confirmation], *, caller: str) -> tuple[Confirmation, ...]:
    """The same confirmations, each person under one name: the caller's own where it is the caller, else the spelling
    of that person's first one. So the policy counts people by comparing names."""
    spelt = {_folded(caller): caller}
    return tuple(
        one
        if (name := spelt.setdefault(_folded(one.who), one.who)) == one.who
        else msgspec.structs.replace(one, who=name)
        for one in confirmations
    )


def seem_enough(confirmations: Iterable[Confirmation], obligation: ConfirmObligation, view_hash: str) -> bool:
    """Whether it is worth asking the policy again: as many different names as the quorum, of each kind as many as it
    takes. Whether it is enough the policy says."""
    seen = [one for one in confirmations if one.view_hash == view_hash]
    wanted = {"human": obligation.at_least.human, "agent": obligation.at_least.agent}
    wanted["host"] = obligation.at_least.host
    return len({one.who for one in seen}) >= obligation.quorum and all(
        len({one.who for one in seen if one.by == kind}) >= least for kind, least in wanted.items()
    )


def _folded(subject: str) -> str:
    # Twice: casefolding may leave something that NFKC changes again (UAX 31, NFKC_Casefold).
    once = unicodedata.normalize("NFKC", subject).casefold()
    return unicodedata.normalize("NFKC", once).casefold().strip()
