"""Both engines give the same answers: a laptop and production must not disagree about who may move money.

Where rego-cpp cannot hold a value exactly, the embedded engine gives no answer (`policy.question`): that is deny. A
rule that fails on a question is no answer on both sides; should only one side notice, the other must deny. The order
of reasons is not compared.
"""

import asyncio
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.errors import PolicyUnavailable
from gateway.policy.embedded import Embedded
from gateway.policy.engine import Engine, Entrypoint
from gateway.policy.opa import OpaSidecar
from gateway.policy.vectors import VECTORS
from tests.support.opa_process import OpaProcess
from tests.support.policies import write_policy
from tests.support.policy_cases import load_cases, write_policy_of
from tests.support.questions import IN_ORDER, VALUES, Question, bent_questions, replaced

POLICIES = Path(__file__).parents[2] / "policies" / "gateway"
CLASSES = yaml.safe_load((POLICIES / "classes" / "data.yaml").read_text(encoding="utf-8"))
TOOLS = (
    *CLASSES["tools"],
    *CLASSES["aliases"],
    "",
    "create_refnd",
    "Create_refund",
    "create_refund ",
    "__proto__",
)
PHASES = ("preparation", "coexistence", "enforcement", "completion")


class Both:
    """The same policy on both engines."""

    def __init__(self, runner: asyncio.Runner, opa: Engine, embedded: Engine) -> None:
        self._runner = runner
        self._engines = (opa, embedded)

    def answers(self, entrypoint: Entrypoint, document: bytes) -> list[Any]:
        """OPA's answer and the embedded engine's; a failure as its code, undefined as None."""
        return [self._runner.run(_answer(engine, entrypoint, document)) for engine in self._engines]

    def check(self, entrypoint: Entrypoint, question: object) -> None:
        """Assert that both answer alike, or that whoever answers denies."""
        opa, embedded = self.answers(entrypoint, msgspec.json.encode(question))
        if embedded == "policy.question":
            return
        failed = [answer for answer in (opa, embedded) if isinstance(answer, str)]
        if failed:
            assert set(failed) == {"policy.built_in_error"}
            assert all(_denies(answer) for answer in (opa, embedded) if not isinstance(answer, str))
        else:
            assert embedded == opa


async def _answer(engine: Engine, entrypoint: Entrypoint, document: bytes) -> Any:
    try:
        result = (await engine.evaluate(entrypoint, document)).result
    except PolicyUnavailable as error:
        return error.code
    return None if result is None else _ordered(msgspec.json.decode(result))


def _ordered(answer: Any) -> Any:
    """The answer with reasons in the order of their codes: rego-cpp sorts sets of objects differently."""
    match answer:
        case dict():
            ordered = {key: _ordered(value) for key, value in answer.items()}
            if isinstance(ordered.get("reasons"), list):
                ordered["reasons"].sort(key=lambda reason: str(reason["code"]))
            return ordered
        case list():
            return [_ordered(item) for item in answer]
        case _:
            return answer


def _denies(answer: Any) -> bool:
    if isinstance(answer, dict) and isinstance(answer.get("tools"), dict):
        return all(_denies(verdict) for verdict in answer["tools"].values())
    return answer is None or (isinstance(answer, dict) and answer.get("outcome") == "deny")


def _both(binary: Path, bundle: Path, socket: Path | None) -> Iterator[Both]:
    with OpaProcess(binary, bundle, unix=socket) as process, asyncio.Runner() as runner:
        opa = OpaSidecar.at(process.url, clock=time.monotonic, deadline_s=10)
        embedded = runner.run(Embedded.load(bundle / "gateway", deadline_s=10))
        yield Both(runner, opa, embedded)
        runner.run(opa.aclose())
        runner.run(embedded.aclose())


@pytest.fixture(scope="module", params=["tcp", "unix"])
def small(
    request: pytest.FixtureRequest, opa_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """The small policy of the tests; OPA over TCP and over a unix socket."""
    folder = tmp_path_factory.mktemp("small")
    write_policy(folder)
    yield from _both(opa_binary, folder, folder / "opa.sock" if request.param == "unix" else None)


@pytest.fixture(scope="module", params=PHASES)
def shipped(
    request: pytest.FixtureRequest, opa_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Both]:
    """The policies that ship, in each migration phase."""
    folder = tmp_path_factory.mktemp("shipped")
    shutil.copytree(POLICIES, folder / "gateway")
    (folder / "gateway" / ".manifest").rename(folder / ".manifest")
    data = folder / "gateway" / "migration" / "data.yaml"
    lines = data.read_text(encoding="utf-8").splitlines()
    phase = next(index for index, line in enumerate(lines) if line.startswith("phase:"))
    lines[phase] = f"phase: {request.param}"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    yield from _both(opa_binary, folder, folder / "opa.sock")


ANY_DOCUMENT: st.SearchStrategy[Question] = st.dictionaries(
    st.sampled_from(["tool", "tools", "x"]), VALUES | st.dictionaries(st.just("name"), VALUES)
)
FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(
    st.dictionaries(
        st.sampled_from(["tool", "tools", "x"]), VALUES | st.dictionaries(st.just("name"), VALUES)
    )
)
@example({"tool": {"name": 'x","outcome":"allow","z":"'}})
@example({"tool": {"name": "create_refund\0"}})
@example({"tool": {"name": "a\\"}, "tools": [{"tool": {"name": 'q"'}}]})
def test_small_policy(small: Both, question: Question) -> None:
    """Any document, whatever its strings, gives the same answers to each entrypoint."""
    for entrypoint in Entrypoint:
        small.check(entrypoint, question)


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool(shipped: Both, tool: str) -> None:
    """A question in order, for every tool there is and some that are not."""
    shipped.check(Entrypoint.DECISION, replaced(IN_ORDER, ("tool", "name"), tool))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vectors(shipped: Both, vector: Any) -> None:
    """The known questions have the known answer on both."""
    for result in shipped.answers(vector.entrypoint, vector.document):
        assert vector.problem(msgspec.json.encode(result)) is None


@settings(FEW, max_examples=150)
@given(bent_questions(TOOLS))
def test_decisions(shipped: Both, question: Question) -> None:
    """Questions with fields dropped, changed or of another type are judged alike."""
    shipped.check(Entrypoint.DECISION, question)


@settings(FEW, max_examples=40)
@given(st.lists(bent_questions(TOOLS), max_size=4))
def test_listings(shipped: Both, questions: list[Question]) -> None:
    """Listings of bent definitions and approvals show the same tools."""
    first = questions[0] if questions else IN_ORDER
    listing: Question = {key: first[key] for key in ("caller", "env", "call") if key in first}
    tools = [
        {key: question[key] for key in ("tool", "approval") if key in question} for question in questions
    ]
    listing["tools"] = tools
    shipped.check(Entrypoint.LISTING, listing)


@settings(FEW, max_examples=60)
@given(
    st.sampled_from(["confirm", "refuse", "approve_tool", "revoke_tool", "read", "delete", ""]),
    st.dictionaries(st.sampled_from(["issuer", "subject", "roles", "assurance"]), VALUES),
    st.dictionaries(st.sampled_from(["caller", "tool", "server", "data_class", "obligations"]), VALUES),
)
def test_administration(shipped: Both, action: str, person: Question, target: Question) -> None:
    """Who may approve and confirm is decided alike."""
    question = {"action": action, "person": person, "target": target, "env": IN_ORDER["env"]}
    shipped.check(Entrypoint.ADMIN, question)


@settings(FEW, max_examples=60)
@given(
    st.sampled_from(["resources/read", "prompts/list", "tools/call", "tasks/get", ""]),
    st.dictionaries(st.sampled_from(["server", "target", "method", "era"]), VALUES),
    st.dictionaries(st.sampled_from(["issuer", "subject", "roles", "proof"]), VALUES),
)
def test_passages(shipped: Both, method: str, call: Question, caller: Question) -> None:
    """What passes besides calls is decided alike."""
    question = {
        "call": {**IN_ORDER["call"], "method": method, "target": None, **call},
        "caller": {**IN_ORDER["caller"], "roles": ["agent"], **caller},
        "env": IN_ORDER["env"],
    }
    shipped.check(Entrypoint.PASSAGE, question)


CASES = load_cases()
POLICIES_OF_CASES = {case.policy.key: case.policy for case in CASES}


@pytest.mark.parametrize("key", POLICIES_OF_CASES)
def test_cases(opa_binary: Path, tmp_path: Path, key: str) -> None:
    """Every case of tests/policy/cases has the wanted answer on both engines, with its overlay and its data."""
    tree = write_policy_of(POLICIES_OF_CASES[key], tmp_path)
    (tree / ".manifest").rename(tmp_path / ".manifest")
    problems = []
    for both in _both(opa_binary, tmp_path, tmp_path / "opa.sock"):
        for case in CASES:
            if case.policy.key == key:
                document = msgspec.json.encode(case.question)
                opa, embedded = both.answers(Entrypoint[case.entrypoint.upper()], document)
                problems += [f"{case.name}: embedded: {problem}" for problem in case.problems(embedded)]
                problems += [f"{case.name}: OPA: {problem}" for problem in case.problems(opa)]
                if opa != embedded:
                    problems.append(f"{case.name}: the engines differ")
    assert problems == []
