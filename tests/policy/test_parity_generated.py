"""Ten thousand questions, the same in every run: both engines give the same outcome, codes and number of signatures.

``test_parity.py`` looks for strange questions, by hypothesis; these are the plausible ones, of which there are many
more than anybody writes as cases: every tool at every step, and the same with one or two places changed; for the
policy that ships and for each of its overlays.
"""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.workbench.judging import EmbeddedJudge, Judged, OpaJudge
from gateway.workbench.matrix import matrix
from gateway.workbench.pack import read_pack
from gateway.workbench.paypal import PAYPAL
from tests.support.policy_cases import Policy, write_policy_of

OVERLAYS = (None, "sandbox", "observe", "production", "lockdown")
EACH = 2_000
CHANGES: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = (
    (("caller", "roles"), ([], ["agent"], ["visitor", "agent"])),
    (("caller", "proof"), ({"present": True, "valid": True}, {"present": True, "valid": False})),
    (("call", "era"), ("modern", "legacy", "rest")),
    (("call", "server"), ("paypal", "warehouse")),
    (("call", "proof"), ({"present": True, "valid": True}, {"present": True, "valid": False})),
    (("tool", "version"), ("1.0.0", "0.9.0", None)),
    (("tool", "provider"), ("paypal", "somebody", None)),
    (("tool", "permissions"), ([], ["admin"], ["filesystem:write"])),
    (("tool", "definition_hash"), ("0" * 64, "f" * 64)),
    (("tool", "etdi"), ({"status": "unverified", "evidence": None, "error": None},)),
    (("tool", "etdi"), ({"status": "token_invalid", "evidence": None, "error": "token_expired"},)),
    (("approval",), (None,)),
    (("approval", "revoked"), (True,)),
    (("approval", "expires"), (1, 1_795_223_999, 1_795_224_001)),
    (
        ("arguments",),
        ({}, {"id": "../x"}, {"id": "X1"}, {"capture_id": "2GG279541U471931P", "note_to_payer": "x"}),
    ),
    (("schema",), ({"valid": False, "errors": ["/x"]},)),
    (("money", "amount"), ("0.01", "99.99", "500.01", "10000.01", "1e9", "-1", None)),
    (("money", "currency"), ("USD", "JPY", "XXX", None)),
    (("consent", "handshake", "age_s"), (0, 600, 601, 901, None)),
    (("usage", "failures"), ({"hour": 30}, {"hour": 5, "ten_minutes": 5}, {}, None)),
    (("usage", "calls", "hour"), (59, 60, "60", None)),
    (("env", "paypal"), ("sandbox", "production", "none")),
    (("env", "state"), ("ok", "degraded")),
)


def questions(tree: Path) -> list[dict[str, Any]]:
    """Half of them as they are, half with one or two places changed."""
    chance = random.Random(20_261_127)
    data = read_pack(tree).data
    whole = list(matrix(data, data, {"paypal": PAYPAL}))
    picked = [whole[chance.randrange(len(whole))] for _ in range(EACH)]
    return [one if number % 2 else _changed(one, chance) for number, one in enumerate(picked)]


def _changed(question: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    made = copy.deepcopy(question)
    for path, values in chance.sample(CHANGES, chance.randint(1, 2)):
        here = made
        for step in path[:-1]:
            if not isinstance(here.get(step), dict):
                break
            here = here[step]
        else:
            here[path[-1]] = chance.choice(values)
    return made


def differing(
    asked: list[dict[str, Any]], by_opa: Iterator[Judged], by_embedded: Iterator[Judged]
) -> list[tuple[Judged, Judged, dict[str, Any]]]:
    """Where they disagree, with the question."""
    judged = zip(asked, by_opa, by_embedded, strict=True)
    return [(opa, embedded, question) for question, opa, embedded in judged if opa != embedded]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_both_engines_agree(opa_binary: Path, tmp_path: Path, overlay: str | None) -> None:
    """And all four outcomes are among the answers, so that they agree about something."""
    tree = write_policy_of(Policy(overlay=overlay), tmp_path)
    asked = questions(tree)
    by_opa = list(OpaJudge(tree, str(opa_binary), tmp_path).judged(asked))
    assert differing(asked, iter(by_opa), EmbeddedJudge(tree).judged(asked)) == []
    outcomes = {"deny", "allow"} if overlay == "lockdown" else {"deny", "handshake", "confirm", "allow"}
    assert {one.outcome for one in by_opa} == outcomes
