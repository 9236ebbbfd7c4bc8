"""What a Rego file says of its rules is found where it stands."""

from gateway.workbench.annotations import codes_of, rules_of

TEXT = """# METADATA
# title: Notes
# description: What notes must not hold.
package gateway.notes

# METADATA
# title: A link
# description: >-
#   A link in a note
#   is a way to phish.
codes contains "notes.link" if {
\tregex.match(`://`, input.arguments.note)
}

# "notes.comment" is said by nobody.
codes contains "notes.helper" if _helper

_helper if other["notes.elsewhere"]
"""


def test_each_block_is_about_what_follows_it() -> None:
    """The package has no head; a description over several lines is one."""
    package, link = rules_of("gateway/notes/notes.rego", TEXT)
    assert (package.head, package.title, package.package) == ("", "Notes", "gateway.notes")
    assert (link.title, link.line) == ("A link", 11)
    assert link.description == "A link in a note is a way to phish."
    assert link.head == 'codes contains "notes.link"'


def test_each_code_has_its_rule_and_what_is_not_annotated_speaks_for_its_package() -> None:
    """Comments do not count, and codes of other rooms do not either."""
    said = codes_of("gateway/notes/notes.rego", TEXT, frozenset({"notes"}))
    titles = [(one.code, one.line, one.rule.title if one.rule else None) for one in said]
    assert titles == [
        ("notes.link", 11, "A link"),
        ("notes.helper", 16, "Notes"),
        ("notes.elsewhere", 18, "Notes"),
    ]
    assert codes_of("x", TEXT, frozenset({"money"})) == []


def test_a_block_that_is_no_yaml_and_one_at_the_end_are_left_out() -> None:
    """`opa check` says what is wrong with them; nothing here breaks."""
    assert rules_of("x", "# METADATA\n# title: [\npackage a\n") == []
    assert rules_of("x", "package a\n# METADATA\n# title: t\n") == []
    assert rules_of("x", "# METADATA\n# - a list\npackage a\n") == []
