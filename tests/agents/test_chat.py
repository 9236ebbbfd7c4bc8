"""The one line in which a model is shown the arguments, and the prompt it stands under; attacks on the answer are in
``tests/attacks/test_injected_agent.py``."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.agents.case import case_of
from gateway.agents.chat import PROMPT, one_line
from tests.support.waiting import a_pending
from tests.support.walking import MONEY

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(TEXT, TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.none() | st.lists(TEXT)))
def test_no_arguments_close_the_block(arguments: dict[str, Any]) -> None:
    """One line of printable ASCII without the characters that fences are made of; it reads back as it was."""
    shown = one_line(case_of(a_pending(), arguments, MONEY))
    assert shown.isascii()
    assert shown.isprintable()
    assert not set(shown) & set("<>&`$")
    assert json.loads(shown)["arguments"] == arguments


def test_the_prompt_has_two_places_and_no_more() -> None:
    """The nonce stands in the form of the answer alone."""
    assert sorted(set(PROMPT.get_identifiers())) == ["fence", "nonce"]
    assert PROMPT.substitute(nonce="N0NCE", fence="F").count("N0NCE") == 1
