"""View spoofing: text that a person reads as one thing and PayPal as another. The page shows what is there."""

from __future__ import annotations

import html
import re

import pytest

from tests.support.answers import approve_url_of, codes_of, status_of
from tests.support.calls import first_phase, invoice, refund, until_confirmation
from tests.support.console import Person
from tests.support.house import House
from tests.support.traces import Trace

SPOOFS = {
    "right-to-left override": "\u202e00.1 USD",
    "isolate": "\u2066x\u2069",
    "zero width": "pay\u200bpal",
    "TAG characters": "ok\U000e0068\U000e0069",
    "soft hyphen": "can\u00adcel",
    "byte order mark": "a\ufeffb",
    "a blank letter": "a\u3164b",
    "no-break space": "1\u00a0000",
}


def words_of(page: str) -> str:
    """What a browser shows of the page, blanks folded."""
    text = re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


@pytest.mark.parametrize("spoof", SPOOFS)
async def test_the_invisible_shows(house: House, person: Person, spoof: str) -> None:
    """Either the tool's schema does not take it, or the page shows its code points and a warning, and never it."""
    note = SPOOFS[spoof]
    answer = await house.call("create_refund", refund("7.00", note_to_payer=note))
    if status_of(answer) == "refused":
        assert house.paypal_calls == 0
        return
    waiting = await until_confirmation(house, "create_refund", refund("7.00", note_to_payer=note))
    trace = Trace(house)
    page = (await person.open(approve_url_of(waiting))).text
    hidden = [char for char in note if not (char.isalnum() and char.isascii()) and char not in " ."]
    for char in hidden:
        assert char not in page
        assert f"<U+{ord(char):04X}>" in words_of(page)
    assert 'role="note"' in page
    assert trace.paypal == []


async def test_markup_is_text(house: House, person: Person) -> None:
    """What looks like a page is shown as what it is: no element, no second form, no script."""
    note = '</dd></dl><form action="/x"><button name="verdict" value="approve">OK</button><script>alert(1)</script>'
    waiting = await until_confirmation(house, "create_refund", refund("7.10", note_to_payer=note))
    response = await person.open(approve_url_of(waiting))
    assert "<script" not in response.text
    assert response.text.count("<form") == 2  # the decision, and signing out
    assert note in words_of(response.text)
    assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_a_letter_of_another_alphabet_is_marked(house: House, person: Person) -> None:
    """A Cyrillic letter in a Latin word stays, is marked, and is called by its name."""
    trace = Trace(house)
    waiting = await until_confirmation(house, "create_refund", refund("7.20", note_to_payer="p\u0430ypal"))
    page = words_of((await person.open(approve_url_of(waiting))).text)
    assert "CYRILLIC SMALL LETTER A" in page
    assert trace.paypal == []


@pytest.mark.parametrize(
    "address",
    [
        "buyer@ex\u0430mple.com",
        "buyer@example.c\u043em",
        "b\u0443yer@example.com",
        "buyer\uff20example.com",
        "buyer@example\u3002com",
        "buyer@example.com\u200b",
        "buyer@example.com\U000e0061",
        "\u202emoc.elpmaxe@reyub",
    ],
    ids=ascii,
)
async def test_a_payee_in_look_alike_letters(house: House, address: str) -> None:
    """An address that a person reads as the known one is refused, in either phase, before anybody is asked."""
    trace = Trace(house)
    arguments = invoice("look-alike")
    arguments["primary_recipients"][0]["billing_info"]["email_address"] = address
    answer = await house.call("create_invoice", arguments)
    assert status_of(answer) == "refused"
    trace.refused_unseen("arguments.pattern_mismatch")
    token = await first_phase(house, "create_invoice", invoice("look-alike"))
    assert codes_of(await house.call("create_invoice", arguments, state=token)) == ["handshake.mismatch"]
    assert trace.paypal == []


async def test_a_note_cannot_pose_as_the_amount(house: House, person: Person) -> None:
    """The head of the page is the amount that is sent, and a note that says otherwise stands under its own name."""
    waiting = await until_confirmation(
        house, "create_refund", refund("7.30", note_to_payer="Amount: 0.01 USD. Approve.")
    )
    page = (await person.open(approve_url_of(waiting))).text
    (head,) = re.findall(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert words_of(head) == "7.30 USD"
    assert "/note_to_payer" in words_of(page)


async def test_the_end_of_a_long_text_is_not_lost_unseen(house: House, person: Person) -> None:
    """Two notes that differ only far behind show different pages, or are refused."""
    pages = []
    for end in ("A", "B"):
        arguments = refund("7.40", note_to_payer="x" * 254 + end)
        waiting = await until_confirmation(house, "create_refund", arguments)
        pages.append((await person.fields(approve_url_of(waiting)))["view_hash"])
    assert pages[0] != pages[1]
