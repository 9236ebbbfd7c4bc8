"""Codes and texts that do not fit each other are found."""

from pathlib import Path

from gateway.workbench.lint_codes import lint_codes
from gateway.workbench.pack import read_pack
from tests.workbench.conftest import appended, edited


def found(folder: Path) -> list[tuple[str, str, str]]:
    """Severity, place, message."""
    return [(one.severity, one.where, one.message) for one in lint_codes(read_pack(folder))]


def test_what_ships_has_nothing(folder: Path) -> None:
    """Clean from the start: what is found later is new."""
    assert found(folder) == []


def test_a_code_without_a_text(folder: Path) -> None:
    """It would deny with a text that helps nobody."""
    appended(
        folder / "arguments" / "arguments.rego", '\ncodes contains "arguments.strange" if input.call.id\n'
    )
    ((severity, where, message),) = found(folder)
    assert (severity, where.split(":")[0]) == ("error", "gateway/arguments/arguments.rego")
    assert "arguments.strange" in message


def test_a_text_that_nobody_says(folder: Path) -> None:
    """Its rule can never fire, because there is none."""
    appended(
        folder / "reasons" / "data.yaml", "  arguments.forgotten: {outcome: deny, message: m, remedy: r}\n"
    )
    ((severity, where, _),) = found(folder)
    assert (severity, where) == ("warning", "gateway/reasons/data.yaml: arguments.forgotten")


def test_an_outcome_that_does_not_exist_and_an_empty_remedy(folder: Path) -> None:
    """Both would be denied without a word of help."""
    reasons = folder / "reasons" / "data.yaml"
    edited(
        reasons, "  identity.no_subject:\n    outcome: deny", "  identity.no_subject:\n    outcome: refuse"
    )
    edited(reasons, "    remedy: Use a client that supports DPoP.", '    remedy: " "')
    assert [(severity, where.split()[-1]) for severity, where, _ in found(folder)] == [
        ("error", "identity.no_subject"),
        ("error", "identity.proof_required"),
    ]


def test_a_rule_behind_another_with_the_same_condition(folder: Path) -> None:
    """The second branch is never reached."""
    path = folder / "identity" / "identity.rego"
    edited(
        path,
        '"identity.role_missing" if not _has_role(caller, class)',
        '"identity.role_missing" if not _known(caller)',
    )
    ((severity, _, message),) = found(folder)
    assert severity == "warning"
    assert message == '"identity.role_missing" has the condition of "identity.no_subject" before it'


def test_two_rules_of_a_set_that_say_two_things_of_one(folder: Path) -> None:
    """One of them is a copy that was not finished."""
    appended(
        folder / "arguments" / "arguments.rego",
        '\ncodes contains "arguments.structure_invalid" if not input.schema.valid == true\n',
    )
    ((severity, _, message),) = found(folder)
    assert severity == "warning"
    assert (
        message == '"arguments.structure_invalid" has the condition of "arguments.schema_invalid" before it'
    )


def test_a_rule_of_the_site_without_a_text(folder: Path) -> None:
    """Its text belongs into the site's own file; with it, there is nothing to say."""
    rule = '\ncodes contains "site.strange" if input.call.id\n'
    (folder / "site" / "strange.rego").write_text(f"package gateway.site\n{rule}", encoding="utf-8")
    (one,) = lint_codes(read_pack(folder))
    assert (one.severity, "gateway/site/data.yaml" in one.remedy) == ("error", True)
    text = "reasons:\n  site.strange: {outcome: deny, message: m, remedy: r}\n"
    (folder / "site" / "data.yaml").write_text(text, encoding="utf-8")
    assert found(folder) == []


def test_a_text_of_the_site_that_nobody_says(folder: Path) -> None:
    """Named with the file where it stands."""
    text = "reasons:\n  site.forgotten: {outcome: deny, message: m, remedy: r}\n"
    (folder / "site" / "data.yaml").write_text(text, encoding="utf-8")
    ((severity, where, _),) = found(folder)
    assert (severity, where) == ("warning", "gateway/site/data.yaml: site.forgotten")


def test_a_sites_text_for_the_code_of_another_room_is_none(folder: Path) -> None:
    """The policy does not look there either."""
    edited(folder / "reasons" / "data.yaml", "  identity.no_subject:", "  identity.renamed:")
    text = "reasons:\n  identity.no_subject: {outcome: deny, message: m, remedy: r}\n"
    (folder / "site" / "data.yaml").write_text(text, encoding="utf-8")
    assert any("'identity.no_subject' has no entry" in message for _, _, message in found(folder))
