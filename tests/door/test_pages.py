"""A list in pages, whose cursors lead nowhere but to where they were handed out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.door.pages import PAGE_TOOLS, page_of
from gateway.errors import INVALID_PARAMS, MalformedRequest


def tools(count: int) -> list[dict[str, Any]]:
    """So many."""
    return [{"name": f"tool_{number}"} for number in range(count)]


def wrong(listed: list[dict[str, Any]], cursor: Any) -> None:
    """It is refused."""
    with pytest.raises(MalformedRequest) as refused:
        page_of(listed, cursor, size=2)
    assert (refused.value.code, refused.value.rpc_code) == ("door.cursor", INVALID_PARAMS)


@given(count=st.integers(0, 12), size=st.integers(1, 5))
def test_all_pages_together_are_the_list(count: int, size: int) -> None:
    """In order, each tool once, no empty page behind the last."""
    listed, seen = tools(count), []
    page = page_of(listed, None, size=size)
    seen += page["tools"]
    while "nextCursor" in page:
        page = page_of(listed, page["nextCursor"], size=size)
        assert page["tools"]
        seen += page["tools"]
    assert seen == listed


def test_a_short_list_is_one_page() -> None:
    """Without a cursor."""
    assert page_of(tools(PAGE_TOOLS), None) == {"tools": tools(PAGE_TOOLS)}
    assert len(page_of(tools(PAGE_TOOLS + 1), None)["tools"]) == PAGE_TOOLS


def test_a_list_that_changed_is_listed_anew() -> None:
    """A tool more, one less, another order: nobody misses one, or sees one twice."""
    cursor = page_of(tools(5), None, size=2)["nextCursor"]
    for changed in (tools(6), tools(4), tools(5)[::-1], []):
        wrong(changed, cursor)


@pytest.mark.parametrize("start", ["0", "5", "6", "-2", "999999999", "9999999999", "", "0x2", "\u0662"])
def test_a_cursor_beside_the_list_leads_nowhere(start: str) -> None:
    """Also with the right name of the list."""
    digest = page_of(tools(5), None, size=2)["nextCursor"].split(".")[1]
    wrong(tools(5), f"{start}.{digest}")


@given(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.lists(st.integers()) | st.just({})
)
def test_what_is_no_cursor_leads_nowhere(cursor: Any) -> None:
    """Any JSON value; none at all is the beginning."""
    if cursor is None:
        assert page_of(tools(5), cursor, size=2)["tools"] == tools(2)
        return
    wrong(tools(5), cursor)


def test_names_that_are_no_text_do_not_break_it() -> None:
    """A server's own spelling is not believed to be any good."""
    listed: list[dict[str, Any]] = [{"name": "\ud800"}, {"name": None}, {}]
    assert page_of(listed, page_of(listed, None, size=2)["nextCursor"], size=2) == {"tools": [{}]}
