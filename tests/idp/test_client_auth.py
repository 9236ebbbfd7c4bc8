"""Which provider asks."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.idp.client_auth import Credentials, shown_credentials
from gateway.idp.errors import OAuthRefused
from gateway.idp.provider import Status
from gateway.state.open import open_store
from gateway.state.store import Space, Store
from tests.support.idp import Client, Idp, running_idp
from tests.support.keys import SigningKey

GRANT = {"grant_type": "client_credentials"}


def basic(client_id: str, secret: str) -> str:
    """The header's value."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


async def test_three_ways_lead_in(idp: Idp, acme: Client) -> None:
    """In the header, in the form, by the pinned key."""
    ways: list[tuple[Any, dict[str, str]]] = [
        (acme.basic, {}),
        (None, {"client_id": acme.provider.client_id, "client_secret": acme.secret}),
        (None, idp.assertion(acme)),
        (None, {**idp.assertion(acme), "client_id": acme.provider.client_id}),
        (None, idp.assertion(acme, aud=f"{idp.url}/token")),
    ]
    for auth, form in ways:
        answer = await idp.ask(None, auth=auth, **GRANT, **form)
        assert answer.status_code == 200, answer.text


async def test_several_at_a_time_are_none(idp: Idp, acme: Client) -> None:
    """RFC 6749 section 2.3."""
    post = {"client_id": acme.provider.client_id, "client_secret": acme.secret}
    for auth, form in (
        (acme.basic, post),
        (acme.basic, idp.assertion(acme)),
        (None, {**post, **idp.assertion(acme)}),
    ):
        answer = await idp.ask(None, auth=auth, **GRANT, **form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_whoever_is_not_known_is_told_one_thing(idp: Idp, acme: Client) -> None:
    """401, a challenge, and the same words for a wrong secret, an unknown client and a bad assertion."""
    client_id = acme.provider.client_id
    stranger = SigningKey("ES256", None)
    tries: list[tuple[Any, dict[str, str]]] = [
        ((client_id, "wrong"), {}),
        (("etdi-nobody", acme.secret), {}),
        (("", ""), {}),
        (("x" * 3000, "y" * 3000), {}),
        ((client_id, ""), {}),
        (acme.basic, {"client_id": "another"}),
        (None, {}),
        (None, {"client_id": client_id}),
        (None, {"client_id": client_id, "client_secret": "wrong"}),
        (None, idp.assertion(acme, key=stranger)),
        (None, idp.assertion(acme, sub="etdi-nobody", iss="etdi-nobody")),
        (None, {**idp.assertion(acme), "client_assertion": "no.such.thing"}),
    ]
    answers = [await idp.ask(None, auth=auth, **GRANT, **form) for auth, form in tries]
    for header in (
        "Bearer x",
        "Basic !!!",
        "Basic",
        f"Basic {base64.b64encode(b'nocolon').decode()}",
        "Basic /w==",
    ):
        answers.append(await idp.http.post(f"{idp.url}/token", data=GRANT, headers={"authorization": header}))
    assert {one.status_code for one in answers} == {401}
    assert len({one.content for one in answers}) == 1
    assert answers[0].json() == {
        "error": "invalid_client",
        "error_description": "Invalid client credentials",
        "code": "idp.invalid_client",
    }
    assert all(one.headers["www-authenticate"].startswith("Basic ") for one in answers)


class Counting:
    """A store that notes what it is asked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[tuple[str, Space]] = []

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if name == "aclose":
            return real

        async def counted(*arguments: Any, **named: Any) -> Any:
            if arguments:
                self.asked.append((name, arguments[0]))
            return await real(*arguments, **named)

        return counted


async def test_a_wrong_secret_and_an_unknown_client_cost_the_same(tmp_path: Path) -> None:
    """R117: the same looks into the store, in the same order, and one comparison each."""
    real = open_store(f"sqlite:///{tmp_path / 'state.sqlite3'}")
    counting: Any = Counting(real)
    async with running_idp(tmp_path, store=counting) as idp:
        acme = await idp.client()
        asked = []
        for auth in ((acme.provider.client_id, "wrong"), ("etdi-nobody", "wrong"), ("x" * 999, "wrong")):
            counting.asked.clear()
            assert (await idp.ask(None, auth=auth, **GRANT)).status_code == 401
            asked.append(list(counting.asked))
    await real.aclose()
    assert asked[0] == asked[1] == asked[2] == [("get", Space.IDP_CLIENT), ("get", Space.IDP_PROVIDER)]


@pytest.mark.parametrize("status", [Status.PENDING, Status.SUSPENDED])
async def test_a_provider_that_is_not_approved_is_told_so_if_its_secret_is_right(
    idp: Idp, status: Status
) -> None:
    """R117, in its words; with a wrong secret it is nobody."""
    client = await idp.client("late", status=status)
    answer = await idp.ask(client, **GRANT)
    assert answer.status_code == 400
    assert answer.json() == {
        "error": "unauthorized_client",
        "error_description": "Provider not approved",
        "code": "idp.not_approved",
    }
    assert (await idp.ask(None, auth=(client.provider.client_id, "wrong"), **GRANT)).status_code == 401


async def test_a_key_that_nobody_approved_leads_nowhere(idp: Idp) -> None:
    """Of a provider that registered without one, and of one whose next key waits."""
    keyless = await idp.client("keyless", public_key=None)
    assert (await idp.ask(None, **GRANT, **idp.assertion(keyless))).status_code == 401


def test_the_form_encoding_of_a_secret_is_undone() -> None:
    """RFC 6749 section 2.3.1."""
    assert shown_credentials([basic("a%3Ab", "c+d%25")], {}).client_id == "a:b"
    assert shown_credentials([basic("a", "c+d%25")], {}).secret == "c d%"


def test_credentials_do_not_show() -> None:
    """Not in a log, not in a traceback."""
    shown = Credentials(client_id="etdi-1", secret="unsafe-secret", assertion="unsafe-assertion")
    assert "unsafe" not in repr(shown)


@pytest.mark.parametrize(
    "form",
    [{"client_assertion": "x"}, {"client_assertion": "x", "client_assertion_type": "another"}],
)
def test_an_assertion_says_what_it_is(form: Mapping[str, str]) -> None:
    """RFC 7521 section 4.2."""
    with pytest.raises(OAuthRefused) as refused:
        shown_credentials([], form)
    assert refused.value.error == "invalid_request"
