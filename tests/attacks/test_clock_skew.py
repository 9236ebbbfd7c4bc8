"""Clock skew: two gateways on one store disagree about the time, or a caller claims another one. Nothing lives longer
for it, and a gateway that is wrong refuses rather than sends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.settings.model import HandshakeSettings
from tests.support.answers import approve_url_of, codes_of, status_of, token_of
from tests.support.calls import first_phase, invoice, refund, until_confirmation
from tests.support.console import signed_in
from tests.support.house import House, running_house
from tests.support.oauth import proof_for, read, shown, token_for, trusting
from tests.support.redis import running_redis
from tests.support.traces import Trace
from tests.support.until import until_answered

HOUR = 3600.0


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[House, House]]:
    """Two gateways behind one address."""
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
    with running_redis() as redis:
        async with (
            running_house(folders[0], state_url=redis) as one,
            running_house(folders[1], state_url=redis, public_url=one.url) as two,
        ):
            two.http.base_url = f"http://127.0.0.1:{two.settings.port}"
            yield one, two


@pytest.mark.parametrize("ahead", [31.0, HOUR])
async def test_a_gateway_that_is_ahead(two: tuple[House, House], ahead: float) -> None:
    """By its clock the token is over: refused there, and burnt for the other as well."""
    one, other = two
    other.clock.advance(ahead)
    token = await first_phase(one, "create_invoice", invoice("ahead"))
    traces = Trace(one), Trace(other)
    assert codes_of(await other.call("create_invoice", invoice("ahead"), state=token)) == [
        "handshake.token_unknown"
    ]
    assert codes_of(await one.call("create_invoice", invoice("ahead"), state=token)) == [
        "handshake.token_unknown"
    ]
    assert [trace.paypal for trace in traces] == [[], []]


async def test_a_gateway_that_is_behind_takes_it_once(two: tuple[House, House]) -> None:
    """For it the token lives for an hour yet; it is spent all the same, for both."""
    one, behind = two
    behind.clock.advance(-HOUR)
    token = await first_phase(one, "create_invoice", invoice("behind"))
    assert status_of(await behind.call("create_invoice", invoice("behind"), state=token)) in (
        "executed",
        "refused",
    )
    traces = Trace(one), Trace(behind)
    for house in (one, behind):
        assert codes_of(await house.call("create_invoice", invoice("behind"), state=token)) == [
            "handshake.token_unknown"
        ]
    assert [trace.paypal for trace in traces] == [[], []]


async def test_no_token_outlives_the_store_for_a_gateway_that_is_behind(tmp_path: Path) -> None:
    """A clock that stands still makes no token last: the store forgets it by a clock of its own."""
    with running_redis() as redis:
        how: dict[str, Any] = {"state_url": redis, "handshake": HandshakeSettings(ttl_seconds=1)}
        async with running_house(tmp_path, **how) as house:
            token = await first_phase(house, "create_invoice", invoice("still"))
            house.clock.advance(-HOUR)
            trace = Trace(house)

            async def over() -> bool:
                other = await house.call("create_refund", refund("1.77"), state=token)
                return codes_of(other) == ["handshake.token_unknown"]

            # The wrong tool burns it at the first look; from then on it is unknown, whatever the clock says.
            await until_answered(over)
            assert codes_of(await house.call("create_invoice", invoice("still"), state=token)) == [
                "handshake.token_unknown"
            ]
            assert trace.paypal == []


@pytest.mark.parametrize("skew", [-HOUR, 300.0, HOUR])
async def test_a_signature_at_a_gateway_with_another_clock(two: tuple[House, House], skew: float) -> None:
    """A person signs where the clock is wrong. A signature that is too old, or from the future, does not count yet or
    any more where the clock is right: the money does not move on it."""
    wrong, right = two
    waiting = await until_confirmation(right, "create_refund", refund("9.10"))
    wrong.clock.advance(skew)
    url = approve_url_of(waiting)
    async with signed_in(wrong) as person:
        done = await person.open(url)
        assert (done.status_code == 200) is (skew < 600)
        if done.status_code == 200:
            assert (await person.approve(url)).status_code == 200
    trace = Trace(right)
    answer = await right.call("create_refund", refund("9.10"), state=token_of(waiting))
    assert status_of(answer) in ("confirmation_required", "refused", "error"), answer
    assert trace.writes == []


@pytest.mark.parametrize("said", [-HOUR, -70.0, 6.0, HOUR])
async def test_a_client_that_claims_another_time(tmp_path: Path, said: float) -> None:
    """A proof of yesterday, or one that was made to be used tomorrow."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        token = token_for(house)
        assert (await read(house, shown(token, proof_for(house, token)))).status_code == 200
        trace = Trace(house)
        claimed = proof_for(house, token, iat=int(house.clock() + said + (1 if said > 0 else 0)))
        assert (await read(house, shown(token, claimed))).status_code == 401
        trace.refused_unseen("identity.proof_invalid")


@pytest.mark.parametrize("claims", [{"nbf": HOUR}, {"iat": HOUR, "nbf": HOUR}, {"exp": -HOUR}], ids=str)
async def test_a_token_of_another_time(tmp_path: Path, claims: dict[str, float]) -> None:
    """Not yet, or no more; by the gateway's clock, with a minute for honest clocks at most."""
    async with running_house(tmp_path, identity=trusting(tmp_path)) as house:
        now = house.clock()
        times: dict[str, Any] = {name: int(now + by) for name, by in claims.items()}
        token = token_for(house, bound=False, **times)
        trace = Trace(house)
        assert (await read(house, shown(token))).status_code == 401
        assert trace.paypal == []
