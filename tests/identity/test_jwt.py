"""Whole tokens through the verifier, honest and hostile, with keys from files and from a real server."""

import base64
import hashlib
import hmac
import json
import logging
import traceback
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity.cache import MAX_AGE_S
from gateway.identity.caller import Caller
from gateway.identity.credentials import MAX_TOKEN_BYTES, Credentials, Secret
from gateway.identity.errors import CredentialRefused, IssuerUnavailable
from gateway.identity.fetch import HttpFetcher
from gateway.identity.issuer import TrustedIssuer
from gateway.identity.jwk import VerificationKey, parse_key_set
from gateway.identity.jwt import JwtVerifier
from gateway.identity.keys import MIN_REFRESH_INTERVAL_S, LocalKeys, RemoteKeys
from gateway.identity.verifier import Identity
from tests.support.clock import ManualClock
from tests.support.issuer_server import answer, running_issuer
from tests.support.keys import Kind, SigningKey, b64url, forge, key_set, signing_key

NOW = 1_795_224_000
ISSUER = "https://idp.example/tenant"
GATEWAY = "https://gateway.example/mcp"
ALGORITHMS: tuple[Kind, ...] = ("RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA")
KEYS = {algorithm: signing_key(algorithm, f"k-{algorithm}") for algorithm in ALGORITHMS}
KEY = KEYS["ES256"]
STRANGER = SigningKey("ES256", KEY.kid)
MISSING = object()


class Watched(LocalKeys):
    """Local keys that remember who asked, and that can be withdrawn."""

    def __init__(self, *keys: SigningKey) -> None:
        super().__init__(parse_key_set(key_set(*keys)))
        self.asked: list[tuple[str | None, str]] = []
        self.generation = 0

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key."""
        self.asked.append((kid, algorithm))
        return await super().find(kid, algorithm)


class Setting:
    """A verifier with one issuer that has a key of each kind."""

    def __init__(self, **trust: Any) -> None:
        self.clock = ManualClock(float(NOW))
        self.keys = Watched(*KEYS.values())
        trusted = TrustedIssuer(**{"issuer": ISSUER, "algorithms": ALGORITHMS, **trust})
        self.verifier = JwtVerifier(audience=GATEWAY, issuers=[(trusted, self.keys)], clock=self.clock)

    async def verify(self, token: str) -> Caller | None:
        """One token, fresh from the header."""
        return await self.verifier.verify(Secret(token.encode()))

    async def refusal(self, token: str) -> str:
        """The code that Identity refuses a token with."""
        with pytest.raises(CredentialRefused) as refused:
            await Identity([self.verifier]).identify(Credentials(bearer=Secret(token.encode())))
        return refused.value.code.removeprefix("identity.")


def claims(**changes: Any) -> dict[str, Any]:
    """Good claims with some changed."""
    good = {"iss": ISSUER, "aud": GATEWAY, "sub": "alice", "iat": NOW - 10, "exp": NOW + 600, "scope": "a b"}
    return {name: value for name, value in {**good, **changes}.items() if value is not MISSING}


def split(token: str) -> tuple[str, str, str]:
    """Header, payload, signature."""
    header, payload, signature = token.split(".")
    return header, payload, signature


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_good_token_of_each_algorithm_is_its_caller(algorithm: Kind) -> None:
    """The control."""
    caller = await Setting().verify(KEYS[algorithm].sign(claims()))
    assert caller == Caller(issuer=ISSUER, subject="alice", scopes=("a", "b"))


async def test_a_good_token_needs_no_kid_if_one_key_fits() -> None:
    """Small issuers leave it out."""
    assert await Setting().verify(KEY.sign(claims(), kid=None)) is not None


def _confused(secret: bytes) -> str:
    """HS256, signed with something public."""
    header = b64url(json.dumps({"alg": "HS256", "kid": "k-RS256", "typ": "at+jwt"}).encode())
    signed = f"{header}.{b64url(json.dumps(claims()).encode())}"
    return f"{signed}.{b64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _public(encoding: serialization.Encoding) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    made: bytes = KEYS["RS256"].private.public_key().public_bytes(encoding, form)
    return made


def _swapped() -> str:
    """The header of one good token on the payload and signature of another."""
    _, payload, signature = split(KEYS["RS256"].sign(claims()))
    header, _, _ = split(KEYS["PS256"].sign(claims()))
    return f"{header}.{payload}.{signature}"


def _with_claims(**changes: Any) -> str:
    """A good signature on other claims."""
    header, _, signature = split(KEY.sign(claims()))
    return f"{header}.{b64url(json.dumps(claims(**changes)).encode())}.{signature}"


OWN_KEY = {"jwk": STRANGER.public_jwk()}
OWN_URL = {"jku": "https://attacker.example/jwks", "x5u": "https://attacker.example/cert"}
NONE = {"alg": "none", "typ": "at+jwt", "kid": KEY.kid}
HOSTILE: dict[str, str] = {
    "alg none": forge(NONE, claims(), b""),
    "alg none with a signature": forge(NONE, claims(), b"x" * 64),
    "alg None": forge({**NONE, "alg": "None"}, claims(), b""),
    "alg none after a good signature": ".".join(
        [split(forge(NONE, {}))[0], split(KEY.sign(claims()))[1], split(KEY.sign(claims()))[2]]
    ),
    "HS256 with the public key as PEM": _confused(_public(serialization.Encoding.PEM)),
    "HS256 with the public key as DER": _confused(_public(serialization.Encoding.DER)),
    "HS256 with the public JWK": _confused(json.dumps(KEYS["RS256"].public_jwk()).encode()),
    "HS256 with an empty secret": _confused(b""),
    "no signature": ".".join(split(KEY.sign(claims()))[:2]) + ".",
    "a stranger's signature under a good kid": STRANGER.sign(claims()),
    "a wrong kid": KEY.sign(claims(), kid="k-nobody"),
    "the kid of another key": KEY.sign(claims(), kid="k-EdDSA"),
    "the kid of another key of the same type": KEYS["RS256"].sign(claims(), kid="k-PS256"),
    "a kid like a path": KEY.sign(claims(), kid="../../../../dev/null"),
    "a kid like SQL": KEY.sign(claims(), kid="x' UNION SELECT 'key"),
    "an embedded key": STRANGER.sign(claims(), **OWN_KEY),
    "an embedded key without kid": STRANGER.sign(claims(), kid=None, **OWN_KEY),
    "a key behind a URL": STRANGER.sign(claims(), **OWN_URL),
    "a certificate chain": STRANGER.sign(claims(), x5c=["MIIB"]),
    "a critical extension": KEY.sign(claims(), crit=["exp"], exp=NOW + 9),
    "an unencoded payload": KEY.sign(claims(), b64=False, crit=["b64"]),
    "an ID token": KEY.sign(claims(), typ="JWT"),
    "no type": KEY.sign(claims(), typ=None),
    "a DPoP proof": KEY.sign(claims(), typ="dpop+jwt"),
    "another algorithm in the header": _swapped(),
    "another subject under the signature": _with_claims(sub="admin"),
    "another expiry under the signature": _with_claims(exp=NOW + 601),
    "an expired token": KEY.sign(claims(exp=NOW)),
    "no exp": KEY.sign(claims(exp=MISSING)),
    "exp 0": KEY.sign(claims(exp=0)),
    "exp as a string": KEY.sign(claims(exp=str(NOW + 600))),
    "exp as a float": KEY.sign(claims(exp=NOW + 600.0)),
    "exp huge": KEY.sign(claims(exp=2**52)),
    "exp infinite": KEY.sign(json.dumps(claims(exp=0)).replace('"exp": 0', '"exp": 1e999').encode()),
    "exp twice": KEY.sign(
        json.dumps(claims(exp=0)).replace('"exp": 0', f'"exp": 1, "exp": {NOW + 9}').encode()
    ),
    "nbf in the future": KEY.sign(claims(nbf=NOW + 120)),
    "iat in the future": KEY.sign(claims(iat=NOW + 120)),
    "a lifetime of years": KEY.sign(claims(exp=NOW + 10**8)),
    "another audience": KEY.sign(claims(aud="https://other.example/mcp")),
    "other audiences": KEY.sign(claims(aud=["https://other.example/mcp", GATEWAY + "/"])),
    "no audience": KEY.sign(claims(aud=MISSING)),
    "issuer with a trailing slash": KEY.sign(claims(iss=ISSUER + "/")),
    "issuer with a suffix": KEY.sign(claims(iss=ISSUER + ".attacker.example")),
    "issuer with a prefix": KEY.sign(claims(iss="https://attacker.example/" + ISSUER)),
    "issuer in other case": KEY.sign(claims(iss=ISSUER.upper())),
    "issuer without its path": KEY.sign(claims(iss="https://idp.example")),
    "issuer as a list": KEY.sign(claims(iss=[ISSUER])),
    "no issuer": KEY.sign(claims(iss=MISSING)),
    "no subject": KEY.sign(claims(sub=MISSING)),
    "bound to a key, without proof": KEY.sign(claims(cnf={"jkt": "x" * 43})),
    "bound to a certificate": KEY.sign(claims(cnf={"x5t#S256": "x" * 43})),
    "claims that are a list": KEY.sign(b"[]"),
    "claims that are no JSON": KEY.sign(b"hello"),
    "a token too long by far": KEY.sign(claims(pad="x" * MAX_TOKEN_BYTES)),
    "garbage": "!!!.???.***",
    "garbage in base64url": forge(b"\x00\x01", b"\xff", b""),
    "an encrypted token": "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
    "a padded signature": KEY.sign(claims()) + "==",
    "white space": " " + KEY.sign(claims()),
    "an ECDSA signature of zeros": ".".join([*split(KEY.sign(claims()))[:2], b64url(bytes(64))]),
    "an ECDSA signature in DER": ".".join([*split(KEY.sign(claims()))[:2], b64url(b"0" + bytes(70))]),
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_token_is_refused(token: str, caplog: pytest.LogCaptureFixture) -> None:
    """Twice, so that no cache turns the second try into a yes; and nothing of it is said or logged."""
    setting = Setting()
    with caplog.at_level(logging.DEBUG):
        assert await setting.refusal(token) == await setting.refusal(token)
    for part in token.split("."):
        assert len(part) < 8 or part not in caplog.text


async def test_an_unknown_issuer_costs_no_look_at_any_key() -> None:
    """No request to a place that a stranger names, and no hint at which keys there are."""
    setting = Setting()
    assert await setting.refusal(KEY.sign(claims(iss=ISSUER + "/"))) == "issuer_unknown"
    assert await setting.refusal(KEY.sign(claims(), alg="HS256")) == "token_invalid"
    assert setting.keys.asked == []


async def test_the_codes_that_clients_act_on() -> None:
    """Expired: refresh. Wrong audience: ask for another token. Not yet: check the clock."""
    setting = Setting()
    assert await setting.refusal(KEY.sign(claims(exp=NOW - 1))) == "token_expired"
    assert await setting.refusal(KEY.sign(claims(nbf=NOW + 99))) == "token_not_yet_valid"
    assert await setting.refusal(KEY.sign(claims(aud="x"))) == "audience_mismatch"
    assert await setting.refusal(STRANGER.sign(claims(exp=NOW - 1))) == "token_invalid"
    assert await setting.refusal(KEY.sign(claims(cnf={"jkt": "x" * 43}))) == "proof_missing"


async def test_an_opaque_token_is_left_to_others() -> None:
    """Introspection may know it."""
    assert await Setting().verify("cs_" + "a" * 43) is None


async def test_an_algorithm_needs_both_the_issuer_and_the_key() -> None:
    """The key could verify RS512, the issuer may not use it; the issuer may use ES384, the key cannot."""
    key = SigningKey("RS256", "plain")
    both = Watched(key)
    trusted = TrustedIssuer(issuer=ISSUER, algorithms=("ES256",))
    verifier = JwtVerifier(audience=GATEWAY, issuers=[(trusted, both)], clock=ManualClock(NOW))
    with pytest.raises(CredentialRefused):
        await verifier.verify(Secret(key.sign(claims()).encode()))
    assert both.asked == []


async def test_a_careless_key_source_does_not_unpin_the_algorithm() -> None:
    """One that looks at the kid only: the key still says what it is for."""

    class ByKid(Watched):
        async def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
            return await super().find(kid, "PS256")

    key = SigningKey("PS256", "pss")
    trusted = TrustedIssuer(issuer=ISSUER, algorithms=("RS256", "PS256"))
    verifier = JwtVerifier(audience=GATEWAY, issuers=[(trusted, ByKid(key))], clock=ManualClock(NOW))
    assert await verifier.verify(Secret(key.sign(claims()).encode())) is not None
    key.algorithm = "RS256"
    with pytest.raises(CredentialRefused):
        await verifier.verify(Secret(key.sign(claims()).encode()))


async def test_a_key_of_one_issuer_does_not_sign_for_another() -> None:
    """Two tenants of one provider: each has its own keys."""
    other = SigningKey("ES256", KEY.kid)
    verifier = JwtVerifier(
        audience=GATEWAY,
        issuers=[
            (TrustedIssuer(issuer=ISSUER), Watched(KEY)),
            (TrustedIssuer(issuer="https://idp.example/other"), Watched(other)),
        ],
        clock=ManualClock(NOW),
    )
    good = other.sign(claims(iss="https://idp.example/other"))
    crossed = KEY.sign(claims(iss="https://idp.example/other"))
    assert await verifier.verify(Secret(good.encode())) is not None
    with pytest.raises(CredentialRefused):
        await verifier.verify(Secret(crossed.encode()))


GOOD_TOKEN = {algorithm: KEYS[algorithm].sign(claims()) for algorithm in ALGORITHMS}


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ALGORITHMS), st.data())
async def test_no_single_bit_of_a_token_can_change(algorithm: Kind, data: st.DataObject) -> None:
    """Header, payload, signature or separator: one bit flipped is another token, and it is refused."""
    token = GOOD_TOKEN[algorithm].encode()
    bit = data.draw(st.integers(0, len(token) * 8 - 1))
    changed = bytearray(token)
    changed[bit // 8] ^= 1 << bit % 8
    setting = Setting()
    with pytest.raises(CredentialRefused):
        await Identity([setting.verifier]).identify(Credentials(bearer=Secret(bytes(changed))))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_every_bit_of_a_signature_counts(algorithm: Kind) -> None:
    """Each one in turn, on the decoded bytes."""
    header, payload, signature = split(GOOD_TOKEN[algorithm])
    good = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    setting = Setting()
    for bit in range(len(good) * 8):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        assert await setting.refusal(f"{header}.{payload}.{b64url(bytes(changed))}") == "token_invalid"


async def test_a_verified_token_is_not_verified_again_for_a_minute() -> None:
    """The hot path: one hash, one lookup."""
    setting, token = Setting(), KEY.sign(claims())
    first = await setting.verify(token)
    for _ in range(5):
        assert await setting.verify(token) is first
    assert len(setting.keys.asked) == 1
    setting.clock.advance(MAX_AGE_S)
    assert await setting.verify(token) == first
    assert len(setting.keys.asked) == 2


async def test_a_cached_token_expires_on_time() -> None:
    """R153: the cache never outlives the token."""
    setting, token = Setting(), KEY.sign(claims(exp=NOW + 5))
    assert await setting.verify(token) is not None
    setting.clock.advance(5)
    assert await setting.refusal(token) == "token_expired"


async def test_a_withdrawn_key_ends_cached_tokens() -> None:
    """R153: nor the key."""
    setting, token = Setting(), KEY.sign(claims())
    assert await setting.verify(token) is not None
    setting.keys.generation += 1
    assert await setting.verify(token) is not None
    assert len(setting.keys.asked) == 2


async def test_a_published_rotation_and_withdrawal_take_effect() -> None:
    """End to end with a real server: new key accepted, old key's tokens refused although they were cached."""
    old, new = signing_key("ES256", "old"), signing_key("ES256", "new")
    async with running_issuer() as server, httpx.AsyncClient(trust_env=False) as client:
        server.routes["/jwks"] = answer(key_set(old))
        clock = ManualClock(float(NOW))
        keys = RemoteKeys(
            issuer=server.url, jwks_uri=server.url + "/jwks", fetcher=HttpFetcher(client), clock=clock
        )
        trusted = TrustedIssuer(issuer=server.url)
        verifier = JwtVerifier(audience=GATEWAY, issuers=[(trusted, keys)], clock=clock)

        async def verify(key: SigningKey) -> Caller | None:
            return await verifier.verify(Secret(key.sign(claims(iss=server.url)).encode()))

        token = Secret(old.sign(claims(iss=server.url)).encode())
        assert await verifier.verify(token) is not None
        server.routes["/jwks"] = answer(key_set(new))
        clock.advance(MIN_REFRESH_INTERVAL_S)
        assert await verify(new) is not None
        with pytest.raises(CredentialRefused):
            await verifier.verify(token)
        for _ in range(50):
            with pytest.raises(CredentialRefused):
                await verify(SigningKey("EdDSA", "made-up"))
        assert server.hits["/jwks"] == 2
        await keys.aclose()


async def test_an_issuer_that_cannot_be_reached_is_not_a_bad_token(caplog: pytest.LogCaptureFixture) -> None:
    """503, and neither the error nor the log knows the token."""
    async with running_issuer() as server:
        url = server.url
    token = KEY.sign(claims(iss=url))
    async with httpx.AsyncClient(trust_env=False) as client:
        keys = RemoteKeys(issuer=url, fetcher=HttpFetcher(client))
        verifier = JwtVerifier(audience=GATEWAY, issuers=[(TrustedIssuer(issuer=url), keys)])
        with caplog.at_level(logging.DEBUG), pytest.raises(IssuerUnavailable) as failed:
            await verifier.verify(Secret(token.encode()))
        await keys.aclose()
    said = "".join(traceback.format_exception(failed.value)) + caplog.text
    assert "no keys from issuer" in said
    assert not any(part in said for part in token.split("."))


@pytest.mark.parametrize(
    "audience", ["", "gateway", "https://gateway.example/", "http://gateway.example/mcp"]
)
def test_a_verifier_without_a_proper_audience_cannot_be_made(audience: str) -> None:
    """Unset is not "any audience"."""
    with pytest.raises(ValueError, match=r"."):
        JwtVerifier(audience=audience, issuers=[(TrustedIssuer(issuer=ISSUER), Watched(KEY))])


def test_a_verifier_without_issuers_or_with_one_twice_cannot_be_made() -> None:
    """Which of two settings would hold is a guess."""
    entry = (TrustedIssuer(issuer=ISSUER), Watched(KEY))
    for issuers in ([], [entry, entry]):
        with pytest.raises(ValueError, match="at least one issuer"):
            JwtVerifier(audience=GATEWAY, issuers=issuers)
