"""What OPA and Regal print becomes one finding for each thing, with its line, and nothing that was said is lost."""

import json
from pathlib import Path

from gateway.workbench.reports import checked_by_opa, formatted_by_opa, linted_by_regal

FOLDER = Path("/somewhere/pol")
PLACE = {"file": "/somewhere/pol/money/money.rego", "row": 7, "col": 2}


def test_an_error_of_opa_has_its_line_and_what_there_is_instead() -> None:
    """A misspelt field, whose details OPA prints as a small picture for terminals."""
    error = {"message": "undefined ref: input.argments", "location": PLACE, "details": {"oneOf": ["a", "b"]}}
    (found,) = checked_by_opa(json.dumps({"errors": [error]}), FOLDER)
    assert (found.severity, found.where) == ("error", "gateway/money/money.rego:7")
    assert found.message == "undefined ref: input.argments; there is: a, b"


def test_two_types_that_never_match_are_named() -> None:
    """`match error` alone says nothing."""
    details = {"a": {"type": "string"}, "b": {"type": "number"}}
    text = json.dumps({"errors": [{"message": "match error", "location": PLACE, "details": details}]})
    assert checked_by_opa(text, FOLDER)[0].message == "match error: string and number are never equal"


def test_an_error_without_a_place_is_one_all_the_same() -> None:
    """OPA has such where a file is not there."""
    (found,) = checked_by_opa('{"errors": [{"message": "stat /nope: no such file"}]}', FOLDER)
    assert (found.where, found.message) == ("", "stat /nope: no such file")


def test_what_is_no_report_is_passed_on_line_by_line() -> None:
    """A crash, or a version that prints something else."""
    assert [one.message for one in checked_by_opa("panic: oh\n\n\tat x\n", FOLDER)] == ["panic: oh", "at x"]
    (found,) = linted_by_regal("no end after 120 s", FOLDER)
    assert (found.severity, found.message) == ("warning", "no end after 120 s")


def test_a_file_in_another_form_is_named_with_the_command_that_writes_it() -> None:
    """The words with which OPA ends its list are no finding."""
    (found,) = formatted_by_opa("/somewhere/pol/money/money.rego\n", "unexpected diff\n", FOLDER)
    assert found.where == "gateway/money/money.rego"
    assert found.remedy == "run `opa fmt --write /somewhere/pol/money/money.rego`"


def test_a_file_that_cannot_be_formatted_is_said_in_one_line() -> None:
    """A test with a syntax error: `opa check` does not look at tests."""
    said = "failed to format Rego source file: 1 error occurred: a.rego:54: rego_parse_error: x\n\tx if {\n\t ^\n"
    (found,) = formatted_by_opa("", said, FOLDER)
    assert found.message == "1 error occurred: a.rego:54: rego_parse_error: x x if { ^"


def test_regals_violations_are_warnings_with_their_names() -> None:
    """And where to read about them."""
    violation = {
        "title": "messy-rule",
        "description": "Messy incremental rule",
        "location": PLACE,
        "related_resources": [{"description": "documentation", "ref": "https://regal.example/messy-rule"}],
    }
    (found,) = linted_by_regal(json.dumps({"violations": [violation]}), FOLDER)
    assert (found.severity, found.where) == ("warning", "gateway/money/money.rego:7")
    assert found.message == "Messy incremental rule (messy-rule)"
    assert found.remedy == "https://regal.example/messy-rule"


def test_regal_that_read_nothing_says_no_more_than_that() -> None:
    """It parses with another syntax then, and names a line that is right."""
    (found,) = linted_by_regal('{"errors": ["failed to parse 1 module(s)"]}', FOLDER)
    assert (found.severity, found.message) == ("warning", "regal could not read the files")
