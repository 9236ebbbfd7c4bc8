"""Every recipe of the cookbook is a whole rule: it passes every gate, it decides, and it leaves other calls alone."""

import shutil
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml

from gateway.policy.engine import Entrypoint
from gateway.policy.loading import evaluate, load_policy
from gateway.policy.rego_cpp import Interpreter
from gateway.workbench.cookbook import Recipe, adding, recipes
from gateway.workbench.gates import checked, unit_tests
from gateway.workbench.lint_codes import lint_codes
from gateway.workbench.pack import read_pack
from gateway.workbench.programs import Layout, Programs
from gateway.workbench.scaffold import write
from tests.support import parts
from tests.support.opa_program import Opa
from tests.support.policy_cases import CASES, POLICIES, base_question, patched

COOKBOOK = POLICIES / "cookbook"
SCHEMA = msgspec.json.decode((POLICIES / "schemas" / "site.json").read_bytes())
ANSWER = msgspec.json.decode((POLICIES / "schemas" / "answer.json").read_bytes())
RECIPES = {one.name: one for one in recipes(COOKBOOK)}
QUESTIONS: dict[str, Any] = yaml.safe_load((CASES.parent / "cookbook.yaml").read_text(encoding="utf-8"))


def _copy(folder: Path, *more: str) -> Path:
    for name in ("gateway", "schemas", ".regal", *more):
        shutil.copytree(POLICIES / name, folder / name)
    shutil.copy(POLICIES / "capabilities.json", folder)
    return folder / "gateway"


def _with(folder: Path, *added: Recipe, checks: bool = False) -> Path:
    tree = _copy(folder, *(["checks"] if checks else []))
    for recipe in added:
        write(adding(recipe, read_pack(tree)))
    return tree


def _tests_in(path: Path) -> int:
    return sum(line.startswith("test_") for line in path.read_text(encoding="utf-8").splitlines())


def _question(written: dict[str, Any]) -> dict[str, Any]:
    return patched(base_question(written["base"]), written.get("change", {}))


def _answers(opa: Opa, tree: Path, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What both engines say; they must not differ."""
    said: list[dict[str, Any]] = opa.ask(tree, {"decision": questions})["decision"]
    policy, interpreter = load_policy(tree), Interpreter()
    raw = [
        evaluate(interpreter, policy, Entrypoint.DECISION, msgspec.json.encode(question))
        for question in questions
    ]
    assert [None if one is None else msgspec.json.decode(one) for one in raw] == said
    return said


@pytest.fixture(scope="module")
def opa(opa_binary: Path) -> Opa:
    """The real OPA."""
    return Opa(opa_binary)


@pytest.fixture(scope="module")
def without(opa: Opa, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, Any]]]:
    """What the policy says to the questions of each recipe before any is added."""
    tree = _copy(tmp_path_factory.mktemp("without"))
    places = [(name, which) for name in QUESTIONS for which in ("asked", "alone")]
    answers = _answers(opa, tree, [_question(QUESTIONS[name][which]) for name, which in places])
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for (name, which), answer in zip(places, answers, strict=True):
        found.setdefault(name, {})[which] = answer
    return found


def test_every_recipe_has_its_questions_and_its_row() -> None:
    """At least fifteen; each is asked about below and stands in the index with its own title."""
    assert len(RECIPES) >= 15
    assert QUESTIONS.keys() == RECIPES.keys()
    index = (COOKBOOK / "README.md").read_text(encoding="utf-8")
    for name, recipe in RECIPES.items():
        assert f"| [{name}]({name}/{name}.rego) | {recipe.title} |" in index


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_passes_every_gate(opa_binary: Path, tmp_path: Path, name: str) -> None:
    """Alone in the policy that ships: format, types, the embedded engine, its texts, its tests with coverage."""
    tree = _with(tmp_path, RECIPES[name])
    layout = Layout(folder=tree)
    assert checked(layout, Programs(opa=str(opa_binary))) == []
    assert lint_codes(read_pack(tree)) == []
    jsonschema.validate(yaml.safe_load((tree / "site" / "data.yaml").read_text(encoding="utf-8")), SCHEMA)
    tested = unit_tests(layout, str(opa_binary))
    assert (tested.failed, tested.uncovered) == ((), ())
    assert tested.passed > sum(_tests_in(path) for path in (POLICIES / "gateway").rglob("*_test.rego"))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_decides_what_it_is_for_and_nothing_else(
    opa: Opa, without: dict[str, dict[str, dict[str, Any]]], tmp_path: Path, name: str
) -> None:
    """On both engines. What it leaves alone is answered to the letter as without it."""
    asked, alone = QUESTIONS[name]["asked"], QUESTIONS[name]["alone"]
    said, left = _answers(opa, _with(tmp_path, RECIPES[name]), [_question(asked), _question(alone)])
    jsonschema.validate(said, ANSWER)
    assert said["outcome"] == asked["outcome"]
    deciding = {one["code"] for one in said["reasons"] if one["outcome"] == said["outcome"]}
    assert asked["said"] in deciding
    before = without[name]["asked"]
    assert asked["said"] not in {one["code"] for one in before["reasons"]}
    assert left == without[name]["alone"]
    texts = yaml.safe_load(RECIPES[name].reasons) or {}
    for one in said["reasons"]:
        if one["code"] in texts:
            assert {key: one[key] for key in ("outcome", "message", "remedy")} == texts[one["code"]]


def test_two_people_are_two_different_people(opa: Opa, tmp_path: Path) -> None:
    """A tool that needs nobody by its class: one person is not enough, nor one person twice; two are."""
    tree = _with(tmp_path, RECIPES["two_people"])
    question = _question(QUESTIONS["two_people"]["asked"])
    (ann,) = base_question("refund_confirmed")["consent"]["confirmations"]
    confirmations = [[ann], [ann, ann], [ann, {**ann, "who": "another"}]]
    said = _answers(
        opa, tree, [patched(question, {"/consent/confirmations": people}) for people in confirmations]
    )
    assert [answer["outcome"] for answer in said] == ["confirm", "confirm", "allow"]
    assert said[0]["obligations"]["confirm"]["quorum"] == 2


def test_a_handshake_that_a_recipe_asks_for_is_enough(opa: Opa, tmp_path: Path) -> None:
    """The second phase is sent; with a stale handshake, or a page that is too large, it is not."""
    tree = _with(tmp_path, RECIPES["bulk_reads"])
    question = _question(QUESTIONS["bulk_reads"]["asked"])
    shaken = {"/consent/handshake": {"satisfied": True, "age_s": 3}}
    said = _answers(
        opa,
        tree,
        [
            patched(question, shaken),
            patched(question, {"/consent/handshake": {"satisfied": True, "age_s": 901}}),
            patched(question, {**shaken, "/arguments/page_size": 51}),
        ],
    )
    assert [answer["outcome"] for answer in said] == ["allow", "handshake", "deny"]


def test_all_of_them_together(opa_binary: Path, tmp_path: Path) -> None:
    """No two recipes say one name twice; the policy about policies and Regal have nothing to say either."""
    tree = _with(tmp_path, *RECIPES.values(), checks=True)
    layout = Layout(folder=tree)
    assert checked(layout, Programs(opa=str(opa_binary), regal=str(parts.require(parts.REGAL)))) == []
    tested = unit_tests(layout, str(opa_binary))
    assert (tested.failed, tested.uncovered) == ((), ())


def test_a_recipe_without_its_texts_denies(opa: Opa, tmp_path: Path) -> None:
    """Copied by hand, and half of it forgotten: the handshake that it asks for becomes a no."""
    tree = _with(tmp_path, RECIPES["bulk_reads"])
    (tree / "site" / "data.yaml").write_text("reasons: {}\n", encoding="utf-8")
    (said,) = _answers(opa, tree, [_question(QUESTIONS["bulk_reads"]["asked"])])
    assert said["outcome"] == "deny"
    assert [one.message for one in lint_codes(read_pack(tree)) if one.severity == "error"]
