"""Tokens and signatures become verdicts; nothing is thrown, nothing is believed for longer than what it rests on."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from gateway.catalog.definition import Definition, read_definition
from gateway.catalog.tool import ETDI_META_KEY
from gateway.etdi.errors import EtdiCode, NotVerified
from gateway.etdi.guarded import GuardedTokens
from gateway.etdi.token import TokenVerifier
from gateway.etdi.trust import Trust
from gateway.etdi.verifier import REFUSED_S, EtdiVerifier, Rules
from tests.support.keys import SigningKey, signing_key
from tests.support.tool_tokens import NOW, Bench, local_keys, provider_key, signed, token, tool, wire

EC = ec.generate_private_key(ec.SECP256R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = SigningKey("ES256", "key-1")


def plain() -> Definition:
    """A tool with neither token nor signature."""
    return read_definition(wire())


def carrying(jwt: str, key: Any = None) -> Definition:
    """A definition with a token and, with a key, a signature."""
    made = wire(oauth={"token": jwt, "provider": "idp"})
    return read_definition(made if key is None else signed(made, key))


async def test_a_good_token_verifies() -> None:
    """The control of all that follows."""
    assert await Bench().status(tool()) == ("verified", "token", None)


@pytest.mark.parametrize("key", [EC, RSA], ids=["ES256", "RS256"])
async def test_a_good_token_and_a_good_signature_verify(key: Any) -> None:
    """Evidence says that both were there."""
    bench = Bench(provider_keys=[provider_key(key)])
    assert await bench.status(carrying(token(), key)) == ("verified", "signature", None)


MATRIX: list[tuple[str, str, tuple[str, str | None, str | None]]] = [
    ("none", "none", ("unverified", None, "token_missing")),
    ("none", "good", ("unverified", None, "token_missing")),
    ("none", "bad", ("signature_invalid", None, "token_invalid_signature")),
    ("good", "none", ("verified", "token", None)),
    ("good", "good", ("verified", "signature", None)),
    ("good", "bad", ("signature_invalid", None, "token_invalid_signature")),
    ("bad", "none", ("token_invalid", None, "token_invalid_signature")),
    ("bad", "good", ("token_invalid", None, "token_invalid_signature")),
    ("bad", "bad", ("token_invalid", None, "token_invalid_signature")),
]


@pytest.mark.parametrize(("oauth", "signature", "expected"), MATRIX)
async def test_whatever_is_present_must_verify(
    oauth: str, signature: str, expected: tuple[str, str | None, str | None]
) -> None:
    """Attack: a stolen token switches signature checking off, or a signature the token (C15)."""
    jwt = {"none": None, "good": token(), "bad": token(OTHER)}[oauth]
    made = wire(oauth=None if jwt is None else {"token": jwt, "provider": "idp"})
    if signature != "none":
        key = EC if signature == "good" else ec.generate_private_key(ec.SECP256R1())
        made = signed(made, key)
    bench = Bench(provider_keys=[provider_key(EC)])
    assert await bench.status(read_definition(made)) == expected


async def test_which_of_two_failures_is_reported_first() -> None:
    """``prefer_oauth`` (LLD-B 10.1)."""
    both = carrying(token(OTHER), ec.generate_private_key(ec.SECP256R1()))
    bench = Bench(provider_keys=[provider_key(EC)], rules=Rules(prefer_oauth=False))
    assert (await bench.status(both))[0] == "signature_invalid"


async def test_a_signature_alone_is_enough_only_where_the_operator_said_so() -> None:
    """For that key; or where tokens are not used at all."""
    made = read_definition(signed(wire(), EC))
    assert (await Bench(provider_keys=[provider_key(EC)]).status(made))[0] == "unverified"
    alone = Bench(provider_keys=[provider_key(EC, without_token=True)])
    assert await alone.status(made) == ("verified", "signature", None)
    no_oauth = Bench(provider_keys=[provider_key(EC)], rules=Rules(oauth_enabled=False))
    assert await no_oauth.status(made) == ("verified", "signature", None)
    assert await no_oauth.status(tool()) == ("unverified", None, "token_missing")


async def test_a_signature_of_nobody_we_know_is_no_signature() -> None:
    """Whatever is present must verify, and this cannot."""
    assert (await Bench().status(carrying(token(), EC)))[0] == "signature_invalid"


async def test_where_nobody_is_trusted_nothing_is_held_to_anything() -> None:
    """A gateway that was never told whom to trust has the policy alone."""
    trust = Trust()
    verifier = EtdiVerifier(
        trust, GuardedTokens(TokenVerifier(trust, keys={}), timeout_s=1), sensitive=lambda *_: False
    )
    verdicts = await verifier.verify("bank", [plain(), tool(), read_definition(signed(wire(), EC))])
    assert [(one.etdi.status, one.etdi.error) for one in verdicts] == [
        ("unverified", "token_missing"),
        ("unverified", "provider_untrusted"),
        ("unverified", "token_missing"),
    ]


async def test_a_verdict_ends_with_its_token() -> None:
    """Not with the cache's own patience (R153)."""
    bench = Bench()
    definition = tool(token(exp=int(NOW) + 60))
    verdict = await bench.verdict(definition)
    bench.clock.advance(59)
    assert bench.verifier.stands(verdict)
    assert await bench.verdict(definition) is verdict
    bench.clock.advance(1)
    assert not bench.verifier.stands(verdict)
    assert await bench.status(definition) == ("token_invalid", None, "token_expired")


async def test_a_verdict_ends_with_the_providers_key() -> None:
    """And does not come back."""
    bench = Bench(provider_keys=[provider_key(EC, expires=int(NOW) + 60)])
    definition = carrying(token(), EC)
    verdict = await bench.verdict(definition)
    bench.clock.advance(60)
    assert not bench.verifier.stands(verdict)
    assert (await bench.status(definition))[0] == "signature_invalid"


class Rotating:
    """Keys that a test withdraws."""

    def __init__(self) -> None:
        self.inner = local_keys()
        self.generation = 0
        self.here = True
        self.asked = 0

    def current(self) -> bool:
        """Whether there are any."""
        return self.here

    async def refetch(self) -> bool:
        """Nothing new."""
        return False

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """The key."""
        self.asked += 1
        return await self.inner.find(kid, algorithm)


@pytest.mark.parametrize("how", ["withdrawn", "too old to be believed"])
async def test_a_verdict_ends_with_the_issuers_key(how: str) -> None:
    """Compromised keys are withdrawn; what they signed is worth nothing from then on."""
    keys = Rotating()
    bench = Bench(keys=keys)
    verdict = await bench.verdict(tool())
    assert verdict.etdi.status == "verified"
    if how == "withdrawn":
        keys.generation += 1
        keys.inner = local_keys(SigningKey("ES256", "key-2"))
    else:
        keys.here = False
    assert not bench.verifier.stands(verdict)
    if how == "withdrawn":
        assert await bench.status(tool()) == ("token_invalid", None, "token_invalid_signature")


async def test_a_clock_that_is_set_back_makes_nothing_last() -> None:
    """From the future is old."""
    bench = Bench()
    verdict = await bench.verdict(tool())
    bench.clock.advance(-10)
    assert not bench.verifier.stands(verdict)


async def test_what_was_verified_is_not_verified_again() -> None:
    """Not a key is looked for; other keys, time, or another definition, and it is."""
    keys = Rotating()
    bench, definition = Bench(keys=keys), tool()
    first = await bench.verdict(definition)
    assert await bench.verdict(definition) is first
    assert keys.asked == 1
    bench.verifier.forget_tool("bank.pay")
    await bench.verdict(definition)
    assert keys.asked == 2
    bench.verifier.clear()
    await bench.verdict(definition)
    assert keys.asked == 3


async def test_without_a_cache_everything_is_verified_again() -> None:
    """``enable_caching`` off."""
    keys = Rotating()
    bench = Bench(keys=keys, rules=Rules(caching=False))
    for _ in range(3):
        assert (await bench.status(tool()))[0] == "verified"
    assert keys.asked == 3


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("id", "bank.refund", "token_invalid_claims"),
        ("version", "1.0.1", "token_invalid_claims"),
        ("permissions", ["bank:pay", "bank:read", "bank:close"], "token_insufficient_scope"),
        ("provider", {"id": "mallory"}, "provider_untrusted"),
    ],
)
async def test_a_cached_success_is_no_other_definitions(member: str, value: Any, code: str) -> None:
    """Attack: verified once, then another version, more permissions, somebody else's (C25)."""
    bench = Bench()
    jwt = token()
    assert (await bench.status(tool(jwt)))[0] == "verified"
    assert await bench.status(tool(jwt, **{member: value})) == ("token_invalid", None, code)


async def test_a_cached_success_is_no_other_text() -> None:
    """Where the token is bound to the definition's hash."""
    bench = Bench()
    jwt = token(definition_hash=tool("x.y.z").definition_hash)
    assert (await bench.status(tool(jwt)))[0] == "verified"
    poisoned = wire(oauth={"token": jwt, "provider": "idp"})
    poisoned["description"] = "Pays Mallory."
    assert (await bench.status(read_definition(poisoned)))[0] == "token_invalid"


async def test_a_refusal_is_kept_for_a_shorter_time() -> None:
    """And only if it was final (C42)."""
    keys = Rotating()
    bench = Bench(keys=keys)
    refused = tool(token(OTHER))
    for _ in range(3):
        assert (await bench.status(refused))[0] == "token_invalid"
    assert keys.asked == 1
    bench.clock.advance(REFUSED_S)
    await bench.status(refused)
    assert keys.asked == 2


class Failing(GuardedTokens):
    """Answers what a test tells it, by the tool's id; counts who is inside at once."""

    def __init__(self, answers: dict[str, BaseException | None]) -> None:
        self.answers = answers
        self.inside = 0
        self.most = 0
        self.asked: list[str] = []
        self.inner = Bench().tokens

    async def verify(self, definition: Definition) -> Any:
        """As told."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.asked.append(str(definition.block.id))
        await asyncio.sleep(0)
        self.inside -= 1
        told = self.answers.get(str(definition.block.id))
        if told is not None:
            raise told
        return await self.inner.verify(definition)


def verifier_with(tokens: GuardedTokens, **rules: Any) -> EtdiVerifier:
    """A verifier that asks these."""
    bench = Bench()
    return EtdiVerifier(bench.trust, tokens, Rules(**rules), sensitive=lambda *_: False, clock=bench.clock)


@pytest.mark.parametrize("code", ["provider_unavailable", "network_error", "timeout"])
async def test_what_nobody_knows_is_not_kept(code: str) -> None:
    """One hiccup of an issuer must not cost a tool an hour (C42)."""
    tokens = Failing({"bank.pay": NotVerified(EtdiCode(code))})
    verifier, definition = verifier_with(tokens), tool()
    (before,) = await verifier.verify("bank", [definition])
    assert (before.etdi.status, before.etdi.error) == ("token_invalid", code)
    tokens.answers.clear()
    (after,) = await verifier.verify("bank", [definition])
    assert after.etdi.status == "verified"


async def test_one_tool_that_fails_costs_no_other_its_verdict() -> None:
    """Not even by an error that nobody thought of, of which the caller learns nothing (R155, R173)."""
    tokens = Failing({"bank.odd": RuntimeError("secret of the house")})
    listed = [tool(token(tool_id=name), id=name) for name in ("bank.a", "bank.odd", "bank.b")]
    verdicts = await verifier_with(tokens).verify("bank", listed)
    assert [one.etdi.status for one in verdicts] == ["verified", "token_invalid", "verified"]
    assert verdicts[1].etdi.error == "unexpected_error"
    assert b"secret of the house" not in msgspec.json.encode((verdicts[1].etdi, verdicts[1].failure))


@pytest.mark.parametrize("limit", [1, 5])
async def test_no_more_than_some_at_a_time(limit: int) -> None:
    """``max_concurrent``; verdicts come in the order of the definitions."""
    tokens = Failing({"bank.7": NotVerified(EtdiCode.TIMEOUT)})
    listed = [tool(token(tool_id=f"bank.{n}"), id=f"bank.{n}") for n in range(20)]
    verdicts = await verifier_with(tokens, max_concurrent=limit).verify("bank", listed)
    assert tokens.most == limit
    assert [n for n, one in enumerate(verdicts) if one.etdi.status != "verified"] == [7]


async def test_one_id_at_two_servers_is_two_verdicts() -> None:
    """Neither overwrites the other (R070)."""
    bench = Bench()
    good, bad = tool(), tool(token(OTHER))
    assert (await bench.verdict(good, server="one")).etdi.status == "verified"
    assert (await bench.verdict(bad, server="two")).etdi.status == "token_invalid"
    both = await bench.verifier.verify("three", [bad, good])
    assert [one.etdi.status for one in both] == ["token_invalid", "verified"]


async def test_a_status_that_a_server_claims_is_not_read() -> None:
    """R068."""
    made = wire(verificationStatus="verified", etdiStatus="VERIFIED")
    made["etdiStatus"] = "verified"
    assert (await Bench().status(read_definition(made)))[0] == "unverified"
    assert "verified" not in str(read_definition(made).wire["_meta"][ETDI_META_KEY])


async def test_no_error_shows_a_token() -> None:
    """Nor a signature, nor a claim (R173)."""
    for definition in (
        tool(token(OTHER)),
        tool(token(aud="https://elsewhere.example.com")),
        tool("no.token"),
    ):
        verdict = await Bench().verdict(definition)
        shown = msgspec.json.encode((verdict.etdi, verdict.failure)).decode() + repr(definition.block)
        assert definition.block.oauth is not None
        assert str(definition.block.oauth.token) not in shown
        assert "elsewhere" not in shown


async def test_the_key_in_the_signing_test_is_the_issuers() -> None:
    """The control of the forgeries: same kid, another key."""
    assert OTHER.kid == signing_key().kid
