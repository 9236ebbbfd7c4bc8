"""A waiting call as plain text for people."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.agents.notice import MAX_SUBJECT_CHARS, Event, named, notice_of
from gateway.outcome.pending import Pending
from gateway.outcome.refusal import Refusal
from gateway.outcome.view import render
from tests.support.waiting import a_pending
from tests.support.walking import MONEY

URL = "https://gate.example"


def to_pay(payee: str, **members: str) -> Pending:
    """A call that pays that party."""
    view = render(
        server="bank",
        tool=members.get("tool", "pay_bill"),
        arguments={"bill": "SECRET-b1"},
        money=msgspec.structs.replace(MONEY, payee=payee),
        asked_by="agent-one",
        reasons=("consent.confirmation_required: A person has to confirm this.",),
    )
    return a_pending(view=view, caller_subject=members.get("subject", "agent-one"))


def test_a_person_reads_what_matters_first() -> None:
    """Money and payee, who asks, why, the link, until when. And no argument."""
    pending = to_pay("shop@example.com")
    notice = notice_of(pending, Event.WAITING, console_url=f"{URL}/")
    assert notice.subject == "To confirm: 12.00 USD, payee shop@example.com"
    assert notice.body == (
        "12.00 USD, payee shop@example.com\n"
        "\n"
        "Tool: pay_bill on bank\n"
        "Asked by: agent-one (https: //idp[.]example)\n"
        "Why it waits:\n"
        "- consent[.]confirmation_required: A person has to confirm this.\n"
        "\n"
        f"Look at it and decide: {URL}/console/pending/{pending.key}\n"
        "It waits until 2026-11-21 01:30:00 UTC.\n"
        "\n"
        f"Transaction {pending.transaction_id}\n"
    )
    assert notice.link == f"{URL}/console/pending/{pending.key}"
    assert "SECRET" not in msgspec.json.encode(notice).decode()


def test_a_refusal_and_an_expiry_say_that_nothing_was_carried_out() -> None:
    """And by whom, and why where it is known."""
    pending = a_pending(refused_by="bob")
    said = notice_of(pending, Event.REFUSED, console_url=URL)
    assert said.subject.startswith("Refused: 12.00 USD")
    assert "Refused by: bob\nNo reason was given.\n\nIt was not carried out." in said.body
    refusal = Refusal(code="confirm.refused", said="Denied by confirmation agent: Too much.")
    agents = msgspec.structs.replace(pending, refused_by="guard", refusal=refusal)
    assert "Denied by confirmation agent: Too much." in notice_of(agents, Event.REFUSED, console_url=URL).body
    expired = notice_of(a_pending(), Event.EXPIRED, console_url=URL)
    assert "Nobody confirmed it before 2026-11-21" in expired.body


def test_the_same_event_has_the_same_id() -> None:
    """The receiver sees a repetition as one; another event, picture or time is another."""
    pending = a_pending()
    ids = {
        notice_of(one, event, console_url=URL).id
        for one in (pending, pending, to_pay("other"), a_pending(expires_at=1_795_224_001.0))
        for event in (Event.WAITING, Event.EXPIRED)
    }
    assert len(ids) == 6


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://evil.example/login", "https: //evil[.]example/login"),
        ("www.evil.example", "www[.]evil[.]example"),
        ("shop@example.com", "shop@example.com"),
        ("shop@example.com https://evil.example", "shop@example[.]com https: //evil[.]example"),
        ("two\nlines", "two lines"),
        ("12.00 USD", "12.00 USD"),
    ],
)
def test_nothing_of_a_call_becomes_a_link(text: str, shown: str) -> None:
    """A sign-in page as payee, in a mail from us. A payee's mail address may stay one."""
    assert named(text) == shown


@given(st.text(max_size=300), st.text(max_size=300))
def test_whatever_it_is_called(payee: str, subject: str) -> None:
    """The subject is one bounded line, the body has the lines it should have, and the one link is ours."""
    notice = notice_of(to_pay(payee, subject=subject), Event.WAITING, console_url=URL)
    assert len(notice.subject) <= MAX_SUBJECT_CHARS
    assert notice.subject.splitlines() == [notice.subject]
    assert len(notice.body.splitlines()) == len(
        notice_of(to_pay("x"), Event.WAITING, console_url=URL).body.splitlines()
    )
    assert notice.body.count("://") == 1
