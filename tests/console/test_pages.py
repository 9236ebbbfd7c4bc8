"""The pages: what a person sees, what they must not be fooled by, and what every response says to the browser."""

import msgspec
import pytest

from gateway.console.pages import MAX_LISTED
from gateway.policy.decision import ConfirmObligation
from gateway.policy.money import Money
from tests.console.house import House, a_pending, moved

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console", 308),
        ("/console/", 200),
        ("/console/pending/" + "0" * 64, 404),
        ("/console/pending/%2e%2e%2f%2e%2e%2fetc", 404),
        ("/console/login/none", 401),
        ("/console/login", 405),
        ("/console/static/console.css", 200),
        ("/console/static/%2e%2e/pages.py", 404),
        ("/console/nothing", 404),
    ],
)
async def test_every_response_forbids_framing_scripts_and_caching(
    house: House, path: str, status: int
) -> None:
    """Clickjacking and injected scripts have no page to work on, errors and redirects included."""
    browser = await house.signed_in("bob")
    response = await browser.get(path)

    assert response.status_code == status
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert "strict-transport-security" not in response.headers


async def test_an_empty_console_says_so(house: House) -> None:
    """Nothing waits, and that is said."""
    page = await (await house.signed_in("bob")).get("/console/")

    assert page.status_code == 200
    assert "Nothing waits." in page.text


async def test_the_list_shows_what_matters(house: House) -> None:
    """Money, payee, tool, who asks, class, time left and how many have confirmed."""
    pending = await house.waits(
        a_pending(house.clock(), obligation=ConfirmObligation(by=("human",), quorum=2))
    )
    house.clock.seconds += 61
    text = (await (await house.signed_in("bob")).get("/console/")).text

    for wanted in ("12.00 USD", "shop@example.com", "create_refund", "agent-of-carol (https://idp.example)"):
        assert wanted in text
    for wanted in (
        "Class 1 · restricted",
        "8 min 59 s",
        "<b>0</b> of <b>2</b>",
        f"/console/pending/{pending.key}",
    ):
        assert wanted in text
    assert text.index("12.00 USD") < text.index("create_refund")


async def test_the_page_of_a_call_shows_all_of_it(house: House) -> None:
    """Every argument line, the reasons, the view's hash, the transaction and both buttons."""
    pending = await house.waits()
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    for line in pending.view.lines:
        assert line.path in text
        assert line.value in text
    for wanted in (
        "Somebody else has to confirm this call.",
        "consent.confirmation_required",
        pending.transaction_id,
        pending.view.view_hash[:16],
        "10 min 0 s",
    ):
        assert wanted in text
    assert 'name="verdict" value="approve"' in text
    assert 'name="verdict" value="refuse"' in text
    assert text.index("12.00 USD") < text.index("create_refund</bdi>") < text.index("/amount/value")


SCRIPT = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'


async def test_nothing_of_a_call_is_markup(house: House) -> None:
    """A script in every place that a caller, a tool or a policy can fill stays text."""
    pending = await house.waits(
        a_pending(
            house.clock(),
            arguments={SCRIPT: SCRIPT, "nested": {SCRIPT: [SCRIPT]}},
            money=Money(amount="1.00", currency=SCRIPT, payee=SCRIPT, source="arguments"),
            caller=SCRIPT,
            tool=SCRIPT,
            reasons=(SCRIPT,),
        )
    )
    browser = await house.signed_in("bob" + SCRIPT)

    for path in ("/console/", f"/console/pending/{pending.key}"):
        text = (await browser.get(path)).text
        assert "<script" not in text
        assert "<img" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_invisible_characters_are_shown_and_named(house: House) -> None:
    """Bidirectional controls and TAG characters come as marked code points, with their names."""
    pending = await house.waits(
        a_pending(house.clock(), arguments={"note": "refund\u202egpj.exe", "memo": "ok\U000e0041\u200b"})
    )
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    assert "\u202e" not in text
    assert "\U000e0041" not in text
    assert '<mark class="hidden">&lt;U+202E&gt;</mark>' in text
    for name in ("RIGHT-TO-LEFT OVERRIDE", "TAG LATIN CAPITAL LETTER A", "ZERO WIDTH SPACE"):
        assert name in text
    assert "cannot be seen" in text


async def test_a_payee_in_look_alike_letters_is_marked_and_spelt_out(house: House) -> None:
    """Cyrillic er and a in a name that reads like a known one."""
    pending = await house.waits(
        a_pending(
            house.clock(),
            money=Money(amount="900.00", currency="USD", payee="раypal@example.com", source="lookup"),  # noqa: RUF001
        )
    )
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    assert '<mark class="foreign">ра</mark>ypal@example.com' in text  # noqa: RUF001
    assert "CYRILLIC SMALL LETTER ER" in text
    assert "CYRILLIC SMALL LETTER A" in text
    assert "letters that pass for other letters" in text
    assert "look-alike letters" in text


async def test_an_ordinary_call_has_no_warnings(house: House) -> None:
    """A mark that is always there is read by nobody."""
    pending = await house.waits()
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    assert "<mark" not in text
    assert 'class="warning"' not in text


async def test_a_cut_value_says_so(house: House) -> None:
    """What is too long to show is not silently shorter."""
    pending = await house.waits(a_pending(house.clock(), arguments={"note": "n" * 5000}))
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    assert "5000 characters" in text
    assert "Too long to show whole" in text


async def test_a_call_whose_time_is_up_is_gone(house: House) -> None:
    """By the record's own time, even if the store still has it."""
    pending = await house.waits()
    browser = await house.signed_in("bob")
    house.clock.seconds = pending.expires_at

    assert (await browser.get(f"/console/pending/{pending.key}")).status_code == 404
    assert "Nothing waits." in (await browser.get("/console/")).text


async def test_an_unknown_amount_is_emphasised(house: House) -> None:
    """A call that moves money, nobody knows how much, must not look like any other."""
    money = Money(amount=None, currency=None, payee=None, source="unknown")
    pending = await house.waits(a_pending(house.clock(), money=money))
    text = (await (await house.signed_in("bob")).get(f"/console/pending/{pending.key}")).text

    assert 'class="money unknown"' in text
    assert "AMOUNT UNKNOWN" in text


async def test_somebody_without_the_role_sees_why_and_nothing_else(house: House) -> None:
    """Signed in, and still told nothing about what waits."""
    pending = await house.waits()
    browser = await house.signed_in("eve", roles=("visitor",))
    listing = await browser.get("/console/")
    detail = await browser.get(f"/console/pending/{pending.key}")

    assert (listing.status_code, detail.status_code) == (403, 404)
    assert "admin.role_missing" in listing.text
    assert "create_refund" not in listing.text + detail.text


async def test_one_who_may_only_read_sees_why_the_buttons_are_missing(house: House) -> None:
    """An auditor reads everything and is offered nothing."""
    pending = await house.waits()
    text = (
        await (await house.signed_in("eve", roles=("auditor",))).get(f"/console/pending/{pending.key}")
    ).text

    assert "12.00 USD" in text
    assert 'name="verdict"' not in text
    assert "You cannot approve this call." in text
    assert "admin.role_missing" in text


async def test_a_flood_is_cut_and_said_to_be_cut(house: House) -> None:
    """Agents that ask a thousand times must not take the console down or hide that there is more."""
    one = a_pending(house.clock())
    for number in range(MAX_LISTED + 1):
        # Several of them: one alone is stopped long before.
        whose = f'["https://idp.example","agent-{number // 50}"]'
        binding = msgspec.structs.replace(one.binding, arguments_hash=f"{number:064x}", principal=whose)
        await house.waits(moved(one, binding=binding))

    text = (await (await house.signed_in("bob")).get("/console/")).text

    assert "More calls wait than fit" in text
    assert text.count('<li class="card') == MAX_LISTED
