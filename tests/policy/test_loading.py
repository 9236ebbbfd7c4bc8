"""A policy goes live only if it compiles, its plan is sound and it says no where every policy must."""

from pathlib import Path

import pytest

from gateway.policy.engine import Entrypoint, PolicyRefused
from gateway.policy.loading import evaluate, load_policy
from gateway.policy.rego_cpp import Interpreter
from tests.support.policies import write_policy

CAPABILITIES = (
    '{"builtins": [{"name": "concat"}, {"name": "eq"}, {"name": "object.get"}, {"name": "object.keys"}]}'
)


def test_a_good_policy(tmp_path: Path) -> None:
    """A loaded policy answers, and carries the revision of its files."""
    policy = load_policy(write_policy(tmp_path))
    answer = evaluate(Interpreter(), policy, Entrypoint.DECISION, b'{"tool":{"name":"list_invoices"}}')
    assert answer is not None
    assert b'"outcome":"allow"' in answer
    assert len(policy.revision) == 64


REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "syntax error": (
        {"gateway/decision/decision.rego": "package gateway.decision\n\nanswer := {"},
        "compile",
    ),
    "allows everybody": (
        {"gateway/decision/decision.rego": 'package gateway.decision\n\nanswer := {"outcome": "allow"}'},
        "not denied: an empty question",
    ),
    "allows unknown tools": (
        {
            "gateway/decision/decision.rego": 'package gateway.decision\n\nanswer := {"outcome": o}\n\n'
            'default o := "deny"\n\no := "allow" if input.tool.name'
        },
        "not denied: an unknown tool",
    ),
    "undefined for the empty question": (
        {
            "gateway/decision/decision.rego": "package gateway.decision\n\n"
            'answer := {"outcome": "deny"} if input.tool.name'
        },
        "undefined for an empty question",
    ),
    "missing entrypoint": ({"gateway/admin/admin.rego": None}, "gateway/admin/answer: undefined"),
    "misspelt entrypoint": (
        {"gateway/admin/admin.rego": 'package gateway.admin\n\nanser := {"outcome": "deny"}'},
        "gateway/admin/answer: undefined",
    ),
    "no word about other requests": (
        {"gateway/passage/passage.rego": None},
        "gateway/passage/answer: undefined",
    ),
    "lets agents send anything": (
        {
            "gateway/passage/passage.rego": 'package gateway.passage\n\ndefault o := "deny"\n\n'
            'o := "allow" if "agent" in input.caller.roles\n\nanswer := {"outcome": o}'
        },
        "not denied: an unknown method",
    ),
    "not an object": (
        {"gateway/admin/admin.rego": 'package gateway.admin\n\nanswer := "deny"'},
        "not an object",
    ),
    "conflict": (
        {
            "gateway/admin/admin.rego": 'package gateway.admin\n\nanswer := {"outcome": "deny"}\n\n'
            'answer := {"outcome": "deny", "b": 1}'
        },
        "The policy failed",
    ),
    "no tools": (
        {"gateway/listing/listing.rego": 'package gateway.listing\n\nanswer := {"outcome": "deny"}'},
        "gateway/listing/answer: no `tools`",
    ),
    "built-in that is not there": (
        {
            "gateway/decision/more.rego": 'package gateway.decision\n\nmessage := net.cidr_expand("10.0.0.0/30")'
        },
        "net.cidr_expand",
    ),
    "recursion": (
        {"gateway/decision/more.rego": "package gateway.decision\n\nmessage := answer.reasons[0].message"},
        "recursive",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    """What builds is not yet a policy: each of these builds or nearly builds, and none goes live."""
    changes, message = REFUSED[name]
    with pytest.raises(PolicyRefused, match=message):
        load_policy(write_policy(tmp_path, changes))


def test_capabilities_are_an_allow_list(tmp_path: Path) -> None:
    """With a capabilities file only its built-ins may be used; a broken one is refused rather than ignored."""
    with pytest.raises(PolicyRefused, match=r"`internal\.member_2` is not available"):
        load_policy(write_policy(tmp_path, {"capabilities.json": CAPABILITIES}))
    for broken in ("{", "{}", "[]"):
        with pytest.raises(PolicyRefused, match="is not a capabilities file"):
            load_policy(write_policy(tmp_path, {"capabilities.json": broken}))
