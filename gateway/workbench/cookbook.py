"""Recipes: whole rules with their texts and their tests, to be copied into the site's room (``policies/cookbook``).

A recipe is a folder: ``NAME.rego`` and ``NAME_test.rego``, both of the package of the site's room, and ``reasons.yaml``
with the codes that it says (absent where it only asks for more people). Pure but for reading.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.policy.data_file import DataFileError, parse_yaml
from gateway.policy.engine import PolicyRefused
from gateway.workbench.annotations import rules_of
from gateway.workbench.pack import Pack
from gateway.workbench.scaffold import Edit, new_file, site_reasons


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One folder of the cookbook. ``title`` and ``description`` are those of its first rule."""

    name: str
    title: str
    description: str
    rule: str
    test: str
    reasons: str
    codes: tuple[str, ...]


def recipes(cookbook: Path) -> list[Recipe]:
    """All of them by name; none where there is no cookbook.

    :raises PolicyRefused: a recipe lacks a file, or its texts are no YAML object.
    """
    if not cookbook.is_dir():
        return []
    return [_recipe(folder) for folder in sorted(cookbook.iterdir()) if folder.is_dir()]


def adding(recipe: Recipe, pack: Pack) -> list[Edit]:
    """What changes when the recipe is copied into this policy: two new files and the site's table of reasons.

    :raises PolicyRefused: something of it is there already, or the policy has no room for the site's rules.
    """
    folder = Path(pack.folder)
    if not (folder / "site" / "site.rego").is_file():
        raise PolicyRefused(
            "this policy has no room for the rules of a site: copy site/, confirmation/, decision/ and reasons/ from"
            " the policy that ships"
        )
    there = sorted(code for code in recipe.codes if code in pack.reasons or code in pack.said)
    if there:
        raise PolicyRefused(f"{', '.join(there)}: the policy has that code; nothing was changed")
    edits = [
        new_file(folder / "site" / f"{recipe.name}.rego", recipe.rule),
        new_file(folder / "site" / f"{recipe.name}_test.rego", recipe.test),
    ]
    if recipe.reasons:
        indented = "".join(f"  {line}\n" for line in recipe.reasons.splitlines())
        edits.append(site_reasons(folder, indented))
    return edits


def _recipe(folder: Path) -> Recipe:
    name = folder.name
    rule = _text(folder / f"{name}.rego")
    described = rules_of(f"{name}.rego", rule)
    reasons = folder / "reasons.yaml"
    texts = _text(reasons) if reasons.exists() else ""
    try:
        codes = tuple(parse_yaml(texts)) if texts else ()
    except DataFileError as problem:
        raise PolicyRefused(f"cookbook/{name}/reasons.yaml: {problem}") from None
    return Recipe(
        name=name,
        title=described[0].title if described else name,
        description=described[0].description if described else "",
        rule=rule,
        test=_text(folder / f"{name}_test.rego"),
        reasons=texts,
        codes=codes,
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise PolicyRefused(f"cookbook/{path.parent.name}/{path.name}: cannot be read") from None
