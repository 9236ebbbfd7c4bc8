"""Tokens of tools are asked for once, kept by everything they depend on, and renewed early."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from gateway.authoring.claims import Grant, ProviderInfo, ToolClaims, Validation
from gateway.authoring.errors import NoToken, Problem
from gateway.authoring.tokens import ToolTokens
from gateway.identity.credentials import Secret
from tests.support.clock import ManualClock
from tests.support.until import until

TOOL = ToolClaims(
    tool_id="read",
    tool_version="1.0.0",
    tool_provider="files-inc",
    permissions=("filesystem:read:/data",),
    definition_hash="ab" * 32,
)


class Counting:
    """A provider that grants ``life_s`` and counts; ``answer`` may do something else."""

    def __init__(self) -> None:
        self.asked: list[ToolClaims] = []
        self.life_s = 3600.0
        self.lifetime_s = 3600.0
        self.fails: NoToken | None = None
        self.before: Callable[[], Awaitable[object]] | None = None
        self.closed = 0

    @property
    def info(self) -> ProviderInfo:
        """One name."""
        return ProviderInfo(id="custom:x", name="x", type="custom", block="x")

    @property
    def cache_lifetime_s(self) -> float:
        """As the test says."""
        return self.lifetime_s

    jwks_uri = None

    async def token_for_tool(self, tool: ToolClaims) -> Grant:
        """The n-th token for the n-th question."""
        self.asked.append(tool)
        number = len(self.asked)
        if self.before is not None:
            await self.before()
        if self.fails is not None:
            raise self.fails
        return Grant(token=Secret(f"token-{number}".encode()), life_s=self.life_s)

    async def validate_token(self, token: Secret, expected: ToolClaims) -> Validation:
        """All are good."""
        return Validation(valid=True)

    def supports_token_introspection(self) -> bool:
        """No."""
        return False

    async def aclose(self) -> None:
        """Counts."""
        self.closed += 1


def failure(*, down: bool) -> NoToken:
    """What a provider that is down, or that refuses, is to us."""
    return NoToken("no", Problem(code="x", message="y"), down=down)


@pytest.fixture
def clock() -> ManualClock:
    """Moves when the test says so."""
    return ManualClock()


async def shown(tokens: ToolTokens, tool: ToolClaims = TOOL) -> str:
    """The token that a listing would show."""
    return (await tokens.token(tool)).token.expose().decode()


async def test_a_token_is_renewed_a_minute_early(clock: ManualClock) -> None:
    """R102, to the second."""
    provider = Counting()
    tokens = ToolTokens(provider, clock=clock)
    assert await shown(tokens) == "token-1"
    clock.advance(3600 - 60 - 0.001)
    assert await shown(tokens) == "token-1"
    clock.advance(0.001)
    assert await shown(tokens) == "token-2"


async def test_a_short_token_is_renewed_a_tenth_early(clock: ManualClock) -> None:
    """Else one of 30 seconds would be asked for with every listing."""
    provider = Counting()
    provider.life_s = 30
    tokens = ToolTokens(provider, clock=clock)
    await shown(tokens)
    clock.advance(26.9)
    assert await shown(tokens) == "token-1"
    clock.advance(0.2)
    assert await shown(tokens) == "token-2"


async def test_no_token_is_kept_longer_than_the_settings_say(clock: ManualClock) -> None:
    """R115, whatever the provider grants."""
    provider = Counting()
    provider.life_s, provider.lifetime_s = 1e9, 100.0
    tokens = ToolTokens(provider, clock=clock)
    await shown(tokens)
    clock.advance(91)
    assert await shown(tokens) == "token-2"


@pytest.mark.parametrize(
    "changed",
    [
        {"tool_id": "write"},
        {"tool_version": "1.0.1"},
        {"tool_provider": "others"},
        {"permissions": ("filesystem:read:/",)},
        {"definition_hash": "cd" * 32},
    ],
)
async def test_whatever_changes_is_another_token(changed: dict[str, object], clock: ManualClock) -> None:
    """C25: a key without the version, the permissions or the hash finds an old token for a new tool."""
    provider = Counting()
    tokens = ToolTokens(provider, clock=clock)
    await shown(tokens)
    other = msgspec.structs.replace(TOOL, **changed)
    assert await shown(tokens, other) == "token-2"
    assert provider.asked == [TOOL, other]


async def test_many_listings_ask_once(clock: ManualClock) -> None:
    """And one that is given up takes nothing from the others."""
    provider = Counting()
    goes_on = asyncio.Event()
    provider.before = goes_on.wait
    tokens = ToolTokens(provider, clock=clock)
    waiting = [asyncio.create_task(shown(tokens)) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    goes_on.set()
    assert set(await asyncio.gather(*waiting[1:])) == {"token-1"}
    assert len(provider.asked) == 1


async def test_a_provider_that_is_down_leaves_the_old_token_to_its_end(clock: ManualClock) -> None:
    """It is asked once in five seconds, not once per listing."""
    provider = Counting()
    tokens = ToolTokens(provider, clock=clock)
    await shown(tokens)
    provider.fails = failure(down=True)
    clock.advance(3550)
    assert [await shown(tokens) for _ in range(10)] == ["token-1"] * 10
    assert len(provider.asked) == 2
    clock.advance(50)
    with pytest.raises(NoToken):
        await shown(tokens)
    provider.fails = None
    clock.advance(5)
    assert await shown(tokens) == "token-4"


async def test_a_provider_that_refuses_has_revoked_something(clock: ManualClock) -> None:
    """The old token is not shown any more, though it lives."""
    provider = Counting()
    tokens = ToolTokens(provider, clock=clock)
    await shown(tokens)
    provider.fails = failure(down=False)
    clock.advance(3550)
    for _ in range(3):
        with pytest.raises(NoToken):
            await shown(tokens)
    assert len(provider.asked) == 2


async def test_one_tool_is_forgotten_and_no_other(clock: ManualClock) -> None:
    """R151: ``a`` and ``a:b`` are two."""
    provider = Counting()
    tokens = ToolTokens(provider, clock=clock)
    first, second = (msgspec.structs.replace(TOOL, tool_id=name) for name in ("a", "a:b"))
    await shown(tokens, first)
    await shown(tokens, second)
    tokens.forget("a")
    assert await shown(tokens, second) == "token-2"
    assert await shown(tokens, first) == "token-3"


async def test_what_the_answer_took_is_not_life(clock: ManualClock) -> None:
    """A token's life began when it was asked for."""
    provider = Counting()
    provider.life_s = 100

    async def slow() -> None:
        clock.advance(50)

    provider.before = slow
    tokens = ToolTokens(provider, clock=clock)
    kept = await tokens.token(TOOL)
    assert kept.ends_at == clock.now + 50


async def test_nothing_shows_a_token() -> None:
    """Neither what is kept, nor what holds it."""
    tokens = ToolTokens(Counting())
    kept = await tokens.token(TOOL)
    assert "token-1" not in f"{kept!r} {kept} {vars(tokens)!r}"


async def test_closing_ends_what_is_under_way(clock: ManualClock) -> None:
    """A server that stops waits for no provider."""
    provider = Counting()
    provider.before = asyncio.Event().wait
    tokens = ToolTokens(provider, clock=clock)
    waiting = asyncio.create_task(shown(tokens))
    await until(lambda: provider.asked)
    await tokens.aclose()
    with pytest.raises(asyncio.CancelledError):
        await waiting
