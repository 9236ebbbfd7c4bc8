"""Console forgery: a foreign page presses the button, a form is sent twice, a session is made up."""

from __future__ import annotations

import httpx
import pytest

from tests.support.answers import approve_url_of, status_of, token_of
from tests.support.calls import refund, until_confirmation
from tests.support.console import Person, signed_in
from tests.support.house import AGENT_TOKEN, House
from tests.support.traces import Trace

FOREIGN = "https://evil.example"


async def waits(house: House, value: str, token: str) -> None:
    """The call still waits, and PayPal heard nothing."""
    trace = Trace(house)
    answer = await house.call("create_refund", refund(value), state=token)
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": FOREIGN},
        {"origin": "null"},
        {},
        {"origin": FOREIGN, "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "http://127.0.0.1:1", "sec-fetch-site": "same-site"},
    ],
)
async def test_a_form_from_another_page(house: House, person: Person, headers: dict[str, str]) -> None:
    """The browser sends the session along and the form even has the right CSRF token: not taken."""
    waiting = await until_confirmation(house, "create_refund", refund("8.00"))
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    done = await person.press(url, "approve", fields, headers=headers)
    assert done.status_code == 403
    await waits(house, "8.00", token_of(waiting))


@pytest.mark.parametrize("csrf", ["", "0" * 43, None])
async def test_a_form_without_the_right_token(house: House, person: Person, csrf: str | None) -> None:
    """Of the right origin, with a missing, empty or made-up CSRF token; also with that of somebody else's session."""
    waiting = await until_confirmation(house, "create_refund", refund("8.10"))
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    async with signed_in(house, "approver-two") as other:
        others = await other.fields(url)
    for forged in (csrf, others["csrf"]):
        sent = (
            {**fields, "csrf": forged}
            if forged is not None
            else {k: v for k, v in fields.items() if k != "csrf"}
        )
        assert (await person.press(url, "approve", sent)).status_code == 403
    await waits(house, "8.10", token_of(waiting))


async def test_a_get_changes_nothing(house: House, person: Person) -> None:
    """An image or a link on a foreign page makes a GET: it approves nothing."""
    waiting = await until_confirmation(house, "create_refund", refund("8.20"))
    url = approve_url_of(waiting)
    fields = {**await person.fields(url), "verdict": "approve"}
    assert (await person.http.get(f"{url}/decide", params=fields)).status_code in (404, 405)
    assert (await person.http.get(url, params=fields)).status_code == 200
    await waits(house, "8.20", token_of(waiting))


async def test_nobody_at_all(house: House) -> None:
    """Without a session, with a made-up one, and with the agent's bearer token instead of one."""
    waiting = await until_confirmation(house, "create_refund", refund("8.30"))
    url = approve_url_of(waiting)
    async with signed_in(house) as person:
        fields = await person.fields(url)
    for headers in (
        {},
        {"cookie": "countersign_console=" + "A" * 43},
        {"cookie": "countersign_console=agent-one"},
        {"authorization": f"Bearer {AGENT_TOKEN}"},
    ):
        async with httpx.AsyncClient(trust_env=False) as http:
            page = await http.get(url, headers=headers)
            assert page.status_code == 401
            assert "8.30" not in page.text
            done = await http.post(
                f"{url}/decide",
                data={**fields, "verdict": "approve"},
                headers={"origin": house.url, **headers},
            )
            assert done.status_code == 401
    await waits(house, "8.30", token_of(waiting))


async def test_approving_twice_is_approving_once(house: House, person: Person) -> None:
    """The form sent twice leaves one signature; two people are asked for, so the call still waits."""
    arguments = refund("600.00")
    waiting = await until_confirmation(house, "create_refund", arguments)
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    for _ in range(2):
        assert (await person.press(url, "approve", fields)).status_code == 200
    trace = Trace(house)
    answer = await house.call("create_refund", arguments, state=token_of(waiting))
    assert status_of(answer) == "confirmation_required"
    assert trace.paypal == []


async def test_a_used_form_does_not_sign_the_next_call(house: House, person: Person) -> None:
    """The same refund, executed and asked for again: the form of the first one is for a transaction that is over."""
    waiting = await until_confirmation(house, "create_refund", refund("8.40"))
    url = approve_url_of(waiting)
    fields = await person.fields(url)
    await person.press(url, "approve", fields)
    done = await house.call("create_refund", refund("8.40"), state=token_of(waiting))
    assert status_of(done) == "executed"
    again = await until_confirmation(house, "create_refund", refund("8.40"))
    assert approve_url_of(again) == url
    assert (await person.press(url, "approve", fields)).status_code == 409
    await waits(house, "8.40", token_of(again))


async def test_a_login_link_works_once(house: House) -> None:
    """Whoever finds a used link in a terminal's history gets no session."""
    link = await house.login()
    token = link.rsplit("/", 1)[1]
    codes = []
    for _ in range(2):
        async with httpx.AsyncClient(trust_env=False) as http:
            done = await http.post(
                f"{house.url}/console/login", data={"token": token}, headers={"origin": house.url}
            )
            codes.append(done.status_code)
    assert codes == [303, 401]


async def test_another_host_name(house: House, person: Person) -> None:
    """DNS rebinding: a page of evil.example whose name points here now is not served."""
    waiting = await until_confirmation(house, "create_refund", refund("8.50"))
    url = approve_url_of(waiting)
    page = await person.http.get(url, headers={"host": "evil.example"})
    assert page.status_code == 403
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    call = await house.http.post("/mcp", json=body, headers={"host": "evil.example"})
    assert call.status_code == 403
    await waits(house, "8.50", token_of(waiting))
