"""Recipes are read whole, and copied without touching what is there."""

import shutil
from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.cookbook import adding, recipes
from gateway.workbench.pack import read_pack
from gateway.workbench.scaffold import write
from tests.support.policy_cases import POLICIES

RECIPES = {one.name: one for one in recipes(POLICIES / "cookbook")}


@pytest.fixture
def cookbook(tmp_path: Path) -> Path:
    """One recipe, to be broken."""
    shutil.copytree(POLICIES / "cookbook" / "bulk_reads", tmp_path / "cookbook" / "bulk_reads")
    return tmp_path / "cookbook"


def test_a_recipe_is_read_whole(cookbook: Path) -> None:
    """Its codes are those of its reasons, its title that of its first rule; files beside the folders are none."""
    (cookbook / "README.md").write_text("# no recipe\n", encoding="utf-8")
    (recipe,) = recipes(cookbook)
    assert (recipe.name, recipe.title) == ("bulk_reads", "No reading in bulk")
    assert recipe.codes == ("site.bulk_read", "site.large_read")


def test_without_a_cookbook_there_is_nothing_to_add(tmp_path: Path) -> None:
    """A policy folder that stands alone."""
    assert recipes(tmp_path / "cookbook") == []


@pytest.mark.parametrize("name", ["bulk_reads.rego", "bulk_reads_test.rego"])
def test_half_a_recipe_is_refused(cookbook: Path, name: str) -> None:
    """A rule without its test is not what the cookbook promises."""
    (cookbook / "bulk_reads" / name).unlink()
    with pytest.raises(PolicyRefused, match=f"cookbook/bulk_reads/{name}: cannot be read"):
        recipes(cookbook)


def test_texts_that_cannot_be_read_are_refused(cookbook: Path) -> None:
    """With the file's name, and the line."""
    (cookbook / "bulk_reads" / "reasons.yaml").write_text("a: 1\na: 2\n", encoding="utf-8")
    with pytest.raises(PolicyRefused, match=r"cookbook/bulk_reads/reasons\.yaml: line 2"):
        recipes(cookbook)


def test_nothing_that_is_there_is_changed_but_the_table_of_reasons(folder: Path) -> None:
    """And the second recipe stands beside the first."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write(adding(RECIPES["bulk_reads"], read_pack(folder)))
    write(adding(RECIPES["quiet_nights"], read_pack(folder)))
    changed = {path for path, content in before.items() if path.read_bytes() != content}
    assert changed == {folder / "site" / "data.yaml"}
    assert {"site.bulk_read", "site.large_read", "site.quiet_night"} <= read_pack(folder).reasons.keys()


def test_a_recipe_is_added_once(folder: Path) -> None:
    """The second time is refused, and so is a policy that has one of its files by another way."""
    write(adding(RECIPES["no_links_in_notes"], read_pack(folder)))
    with pytest.raises(PolicyRefused, match=r"site\.link_in_note: the policy has that code"):
        adding(RECIPES["no_links_in_notes"], read_pack(folder))
    (folder / "site" / "two_people_test.rego").write_text("package gateway.site_test\n", encoding="utf-8")
    with pytest.raises(PolicyRefused, match=r"two_people_test\.rego exists"):
        adding(RECIPES["two_people"], read_pack(folder))
    assert not (folder / "site" / "two_people.rego").exists()


def test_an_older_policy_has_no_room_for_it(folder: Path) -> None:
    """Said before anything is written: there the rule would decide nothing."""
    shutil.rmtree(folder / "site")
    with pytest.raises(PolicyRefused, match="no room for the rules of a site"):
        adding(RECIPES["two_people"], read_pack(folder))
