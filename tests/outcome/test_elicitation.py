"""What a host's user is shown says all that the page says, and nothing that deceives."""

from typing import Any

import pytest

from gateway.outcome.elicitation import MAX_FORM_LINES, fits_a_form, form, link, text_of
from gateway.outcome.view import Before, View, change, render, with_before
from gateway.policy.money import Money


def a_view(payee: str = "shop@example.com", **arguments: Any) -> View:
    """Of a refund."""
    return render(
        server="paypal",
        tool="create_refund",
        arguments=arguments or {"capture_id": "C1"},
        money=Money(amount="12.00", currency="USD", payee=payee, source="lookup"),
        asked_by="agent-one (https://idp.example), client desk",
        reasons=("consent.confirmation_required: Somebody else has to confirm this call.",),
    )


def test_money_comes_first_and_nothing_is_missing() -> None:
    """Then the payee, who asks, why, how long, and every value."""
    lines = text_of(a_view(), expires_in_s=125).split("\n")
    assert lines[0] == "Countersign: confirm create_refund on paypal"
    assert lines[1:3] == ["Amount: 12.00 USD", "Payee: shop@example.com"]
    assert lines[3] == "Asked by: agent-one (https://idp.example), client desk"
    assert "Somebody else has to confirm" in lines[4]
    assert lines[5] == "Time left: 2 min 5 s"
    assert lines[-1] == "/capture_id: C1"


def test_what_the_target_said_stays_with_whoever_decides() -> None:
    """The host belongs to the caller, who may not be allowed to read it."""
    before = Before(at=1, changes=(change("Buyer", "buyer@example.com", "somebody"),))
    view = with_before(a_view(), before)
    shown = (text_of(view, expires_in_s=1), str(form(view, expires_in_s=1)), str(link(view, "https://x")))
    assert not any("buyer@example.com" in one or "somebody" in one for one in shown)
    assert shown[0] == text_of(a_view(), expires_in_s=1)


def test_a_payee_in_other_letters_is_marked() -> None:
    """And the letters are called by their names."""
    text = text_of(a_view("p\u0430ypal@example.com"), expires_in_s=1)
    assert "Payee: p\u0430ypal@example.com  [look twice: lookalike: CYRILLIC SMALL LETTER A]" in text


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\U000e0061", "\n", "\u2028"])
def test_nothing_invisible_reaches_the_host(hidden: str) -> None:
    """A note cannot write a line of its own, nor turn the others round."""
    text = text_of(a_view(f"shop{hidden}Amount: 0.01 USD", note=f"x{hidden}Payee: me"), expires_in_s=1)
    assert hidden == "\n" or hidden not in text
    assert next(line for line in text.split("\n") if line.startswith("Amount")) == "Amount: 12.00 USD"
    assert sum(line.startswith("Payee: ") for line in text.split("\n")) == 1
    assert f"<U+{ord(hidden):04X}>" in text


def test_a_form_has_one_flag() -> None:
    """Which every host can show."""
    params = form(a_view(), expires_in_s=60)
    assert list(params["requestedSchema"]["properties"]) == ["approve"]
    assert params["requestedSchema"]["required"] == ["approve"]


def test_a_link_says_what_it_is_about() -> None:
    """Money and payee, before anybody opens it."""
    params = link(a_view(), "https://gate.example/console/pending/k")
    assert "12.00 USD to shop@example.com" in params["message"]
    assert params["url"] == "https://gate.example/console/pending/k"


def test_what_does_not_fit_is_no_form() -> None:
    """A part of it would have somebody sign the rest unseen."""
    assert fits_a_form(a_view(items=list(range(MAX_FORM_LINES))))
    assert not fits_a_form(a_view(items=list(range(MAX_FORM_LINES + 1))))
