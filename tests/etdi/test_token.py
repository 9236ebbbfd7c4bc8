"""Hostile tool tokens: each is refused with its code and text, and each has a control that is accepted (RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog.definition import read_definition
from gateway.identity.discovery import metadata_urls
from gateway.identity.errors import IssuerUnavailable
from gateway.identity.fetch import FetchError
from gateway.identity.keys import RemoteKeys
from tests.support.keys import SigningKey, b64url, forge, key_set, signing_key
from tests.support.tool_tokens import ISSUER, NOW, Bench, claims, issuer, local_keys, token, tool, wire

RSA = signing_key("RS256", "rsa")
EC = signing_key("ES256", "key-1")
MALLORY = SigningKey("ES256", "key-1")
MALLORYS_RSA = SigningKey("RS256", "rsa")
BAD_SIGNATURE = ("token_invalid_signature", "Invalid token signature")
INVALID = "token_invalid_claims"


def hs256(secret: bytes, header: dict[str, Any] | None = None) -> str:
    """Claims that fit, with an HMAC under whatever one likes."""
    head = {"alg": "HS256", "typ": "etdi+jwt", "kid": "rsa", **(header or {})}
    data = f"{b64url(json.dumps(head).encode())}.{b64url(json.dumps(claims()).encode())}"
    return f"{data}.{b64url(hmac.new(secret, data.encode(), hashlib.sha256).digest())}"


def public_pem(key: SigningKey) -> bytes:
    """What everybody has, and what a confused verifier takes for a secret."""
    made: bytes = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return made


def public_der(key: SigningKey) -> bytes:
    """The same, as bytes."""
    made: bytes = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return made


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
OTHER_CLAIMS = b64url(json.dumps(claims(tool_id="bank.pay", scope="tool:admin")).encode())


def unsigned(alg: Any) -> str:
    """No signature, and a header that says so."""
    return forge({"alg": alg, "typ": "etdi+jwt", "kid": "key-1"}, claims(), b"").rstrip(".") + "."


def flipped() -> str:
    """One bit of the signature."""
    raw = bytearray(base64.urlsafe_b64decode(SIGNATURE + "=="))
    raw[7] ^= 1
    return f"{HEAD}.{BODY}.{b64url(bytes(raw))}"


FORGED: dict[str, str] = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg nOnE": unsigned("nOnE"),
    "HMAC with the public key as PEM": hs256(public_pem(RSA)),
    "HMAC with the public key as DER": hs256(public_der(RSA)),
    "HMAC with the JWK": hs256(json.dumps(RSA.public_jwk()).encode()),
    "HMAC with nothing": hs256(b""),
    "HMAC under the kid of an EC key": hs256(public_pem(EC), {"kid": "key-1"}),
    "an RSA signature under the kid of an EC key": RSA.sign(claims(), kid="key-1"),
    "PS256 by a key that is for RS256": SigningKey("PS256", "rsa").sign(claims()),
    "somebody else's key under a known kid": MALLORY.sign(claims()),
    "somebody else's RSA key": MALLORYS_RSA.sign(claims()),
    "a kid that nobody has": MALLORY.sign(claims(), kid="unknown"),
    "a kid that is a path": MALLORY.sign(claims(), kid="../../../../dev/null"),
    "a kid that is a query": MALLORY.sign(claims(), kid="x' UNION SELECT 'key"),
    "a kid that is a URL": MALLORY.sign(claims(), kid="https://mallory.example.com/key"),
    "an empty kid": MALLORY.sign(claims(), kid=""),
    "no kid, among several keys": MALLORY.sign(claims(), kid=None),
    "its own key as jwk": MALLORY.sign(claims(), kid=None, jwk=MALLORY.public_jwk()),
    "its own key as jwk, under a known kid": MALLORY.sign(claims(), jwk=MALLORY.public_jwk()),
    "its own key set as jku": MALLORY.sign(claims(), jku="https://mallory.example.com/jwks.json"),
    "its own certificate as x5u": MALLORY.sign(claims(), x5u="https://mallory.example.com/cert.pem"),
    "its own certificate as x5c": MALLORY.sign(claims(), x5c=["MIIB"]),
    "a thumbprint as x5t": MALLORY.sign(claims(), **{"x5t#S256": "x"}),
    "other claims under a good signature": f"{HEAD}.{OTHER_CLAIMS}.{SIGNATURE}",
    "one bit": flipped(),
    "an empty signature": f"{HEAD}.{BODY}.",
    "a signature of zeros (CVE-2022-21449)": f"{HEAD}.{BODY}.{b64url(bytes(64))}",
    "a signature that is too short": f"{HEAD}.{BODY}.{b64url(bytes(10))}",
}


@pytest.mark.parametrize("jwt", FORGED.values(), ids=FORGED)
async def test_a_forged_token_is_refused(jwt: str) -> None:
    """Whatever its header says about keys and algorithms (C57)."""
    bench = Bench(keys=local_keys(EC, RSA))
    assert await bench.refusal(tool(jwt)) == BAD_SIGNATURE
    assert (await bench.status(tool(RSA.sign(claims()))))[0] == "verified"
    assert (await bench.status(tool(EC.sign(claims()))))[0] == "verified"


MALFORMED: dict[str, str] = {
    "nothing": "",
    "one part": "token",
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.x",
    "an opaque token": "0123456789abcdef",
    "padding": f"{HEAD}.{BODY}.{SIGNATURE}==",
    "white space": f" {GOOD}",
    "a line break": f"{GOOD}\n",
    "a header twice": forge(b'{"alg":"none","alg":"ES256","kid":"key-1"}', claims()),
    "claims twice": forge(
        {"alg": "ES256", "kid": "key-1"}, json.dumps(claims()).encode()[:-1] + b',"tool_id":"x"}'
    ),
    "claims that are a list": forge({"alg": "ES256"}, b"[]"),
    "claims that are no JSON": forge({"alg": "ES256"}, b"{"),
    "an extension (crit)": EC.sign(claims(), crit=["exp"]),
    "detached (b64)": EC.sign(claims(), b64=False),
    "an algorithm that is no text": forge({"alg": 5}, claims()),
    "a kid that is no text": forge({"alg": "ES256", "kid": {"a": 1}}, claims()),
    "a kid that is too long": EC.sign(claims(), kid="k" * 300),
    "no issuer": token(iss=None),
    "an issuer that is a list": token(iss=[ISSUER]),
    "not ASCII": f"{HEAD}.{BODY}.é",
    "too long": f"{HEAD}.{b64url(b'{' + b' ' * 9000 + b'}')}.{SIGNATURE}",
}


@pytest.mark.parametrize("jwt", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_no_token_is_refused(jwt: str) -> None:
    """Read by one strict grammar."""
    code, text = await Bench().refusal(tool(jwt) if jwt else read_definition(_empty()))
    assert code == INVALID
    assert text == "Invalid token format" or text.startswith("Token validation error: ")


def _empty() -> dict[str, Any]:
    return wire(oauth={"token": 5, "provider": "idp"})


CLAIMED: dict[str, tuple[dict[str, Any], str, str]] = {
    "another issuer": ({"iss": "https://evil.example.com/"}, INVALID, "Token issuer is not the trusted one"),
    "the issuer as a prefix": ({"iss": ISSUER + "x"}, INVALID, "Token issuer is not the trusted one"),
    "the issuer as a host's part (C18)": (
        {"iss": "https://idp.example.com.evil.example/"},
        INVALID,
        "Token issuer is not the trusted one",
    ),
    "the issuer in a query": (
        {"iss": "https://evil.example/?https://idp.example.com/"},
        INVALID,
        "Token issuer is not the trusted one",
    ),
    "the issuer without its slash": (
        {"iss": ISSUER.rstrip("/")},
        INVALID,
        "Token issuer is not the trusted one",
    ),
    "the issuer in capitals": ({"iss": ISSUER.upper()}, INVALID, "Token issuer is not the trusted one"),
    "another audience": ({"aud": "https://api.example.com"}, INVALID, "Token audience is not this gateway"),
    "no audience": ({"aud": None}, INVALID, "Token audience is not this gateway"),
    "an audience more": (
        {"aud": ["https://gateway.example.com/etdi", "https://api.example.com"]},
        INVALID,
        "Token audience is not this gateway",
    ),
    "the audience as a prefix": (
        {"aud": "https://gateway.example.com/etdi/x"},
        INVALID,
        "Token audience is not this gateway",
    ),
    "no audiences": ({"aud": []}, INVALID, "Token audience is not this gateway"),
    "expired": ({"exp": int(NOW)}, "token_expired", "Token expired"),
    "expired long ago": ({"exp": 1}, "token_expired", "Token expired"),
    "no expiry": ({"exp": None}, INVALID, "Token claim exp is missing or no sensible integer"),
    "expiry zero (C58)": ({"exp": 0}, "token_expired", "Token expired"),
    "expiry as text": (
        {"exp": str(int(NOW) + 99)},
        INVALID,
        "Token claim exp is missing or no sensible integer",
    ),
    "expiry true": ({"exp": True}, INVALID, "Token claim exp is missing or no sensible integer"),
    "expiry with a fraction": (
        {"exp": NOW + 99.5},
        INVALID,
        "Token claim exp is missing or no sensible integer",
    ),
    "expiry in milliseconds": (
        {"exp": int(NOW * 1000)},
        INVALID,
        "Token claim exp is missing or no sensible integer",
    ),
    "a life that is too long": (
        {"exp": int(NOW) + 90_000},
        INVALID,
        "Token lives longer than this issuer's may",
    ),
    "no issue time": ({"iat": None}, INVALID, "Token claim iat is missing or no sensible integer"),
    "issued in the future": ({"iat": int(NOW) + 31}, INVALID, "Token is not valid yet"),
    "not valid yet": ({"nbf": int(NOW) + 31}, INVALID, "Token is not valid yet"),
    "a begin that is no date": ({"nbf": "now"}, INVALID, "Token claim nbf is missing or no sensible integer"),
    "another tool": ({"tool_id": "bank.read"}, INVALID, "Token does not match expected tool ID"),
    "no tool, but a subject (C19)": (
        {"tool_id": None, "sub": "bank.pay"},
        INVALID,
        "Token does not match expected tool ID",
    ),
    "the tool in a list": ({"tool_id": ["bank.pay"]}, INVALID, "Token does not match expected tool ID"),
    "another version": ({"tool_version": "0.9.0"}, INVALID, "Token does not match expected tool version"),
    "no version (C19)": ({"tool_version": None}, INVALID, "Token does not match expected tool version"),
    "another provider": (
        {"tool_provider": "mallory"},
        INVALID,
        "Token does not match expected tool provider",
    ),
    "no provider": ({"tool_provider": None}, INVALID, "Token does not match expected tool provider"),
    "two spellings of the tool (C27)": (
        {"https://etdi.tools/tool_id": "bank.read"},
        INVALID,
        "Token claims about tool_id contradict each other",
    ),
    "another definition": (
        {"definition_hash": "0" * 64},
        INVALID,
        "Token does not match expected definition",
    ),
    "no scope": ({"scope": None}, "token_insufficient_scope", "Token missing required permissions"),
    "one permission less": (
        {"scope": "tool:bank:pay"},
        "token_insufficient_scope",
        "Token missing required permissions",
    ),
    "scopes without their prefix": (
        {"scope": "bank:pay bank:read"},
        "token_insufficient_scope",
        "Token missing required permissions",
    ),
    "a wildcard (C33)": (
        {"scope": "tool:* *"},
        "token_insufficient_scope",
        "Token missing required permissions",
    ),
    "scopes in other cases": (
        {"scope": "TOOL:BANK:PAY tool:Bank:Read"},
        "token_insufficient_scope",
        "Token missing required permissions",
    ),
    "scopes as a number": ({"scope": 5}, INVALID, "Token scopes are no list of sensible length"),
    "scopes of numbers": ({"scope": [5]}, INVALID, "Token scopes are not texts"),
    "two spellings of scopes": ({"scp": ["tool:bank:pay"]}, INVALID, "Token scopes contradict each other"),
}


@pytest.mark.parametrize(("members", "code", "text"), CLAIMED.values(), ids=CLAIMED)
async def test_claims_that_do_not_fit_are_refused(members: dict[str, Any], code: str, text: str) -> None:
    """Signed by the trusted issuer itself: a token for something else is no token for this (R073 to R077)."""
    assert await Bench().refusal(tool(token(**members))) == (code, text)


async def test_missing_permissions_are_named() -> None:
    """R077."""
    verdict = await Bench().verdict(tool(token(scope="tool:bank:pay")))
    assert verdict.failure.details == {"missingPermissions": ["bank:read"]}


CONTROLS: dict[str, dict[str, Any]] = {
    "as they are": {},
    "one audience in a list": {"aud": ["https://gateway.example.com/etdi"]},
    "within the leeway": {"iat": int(NOW) + 30, "nbf": int(NOW) + 30},
    "scopes as a list": {"scope": ["tool:bank:pay", "tool:bank:read"]},
    "more scopes": {"scope": "tool:bank:pay tool:bank:read openid"},
    "two spellings that agree": {"https://etdi.tools/tool_id": "bank.pay", "etdi_tool_id": "bank.pay"},
    "claims that nobody asks for": {"sub": None, "custom": {"a": 1}},
}


@pytest.mark.parametrize("members", CONTROLS.values(), ids=CONTROLS)
async def test_claims_that_fit(members: dict[str, Any]) -> None:
    """The controls."""
    assert await Bench().status(tool(token(**members))) == ("verified", "token", None)


@pytest.mark.parametrize("typ", [None, "JWT", "at+jwt", "etdi+jwt", "application/ETDI+JWT"])
async def test_types_of_tool_tokens(typ: str | None) -> None:
    """Issuers that know nothing of tools say JWT."""
    assert (await Bench().status(tool(token(header={"typ": typ}))))[0] == "verified"


@pytest.mark.parametrize("typ", ["dpop+jwt", "secevent+jwt", "countersign-receipt+jwt", "id+jwt", ""])
async def test_another_type_is_another_token(typ: str) -> None:
    """RFC 8725 section 3.11."""
    code, _ = await Bench().refusal(tool(token(header={"typ": typ})))
    assert code == INVALID


async def test_an_algorithm_that_the_operator_did_not_list() -> None:
    """However good the signature is."""
    bench = Bench(trusted=issuer(algorithms=("RS256",)), keys=local_keys(EC, RSA))
    assert await bench.refusal(tool(EC.sign(claims()))) == BAD_SIGNATURE
    assert (await bench.status(tool(RSA.sign(claims()))))[0] == "verified"


class Recording:
    """A fetcher that fails, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, url: str) -> bytes:
        """Nothing is there."""
        self.asked.append(url)
        raise FetchError("not here", 404)


@pytest.mark.parametrize(
    ("oauth", "members", "code", "text"),
    [
        ({"provider": "https://evil.example.com/"}, {}, "provider_untrusted", "Untrusted OAuth provider"),
        ({"provider": "idp.example.com"}, {}, "provider_untrusted", "Untrusted OAuth provider"),
        ({"provider": "http://169.254.169.254/"}, {}, "provider_untrusted", "Untrusted OAuth provider"),
        ({}, {}, "provider_missing", "Missing OAuth provider information"),
        ({"provider": "idp"}, {"provider": None}, "provider_missing", "Missing OAuth provider information"),
        (
            {"provider": "idp"},
            {"provider": {"id": "mallory"}},
            "provider_untrusted",
            "OAuth provider may not speak for this tool's provider",
        ),
        ({"provider": "idp"}, {"id": None}, "tool_missing_id", "Tool definition has no id"),
        ({"provider": "idp"}, {"version": None}, "tool_missing_version", "Tool definition has no version"),
    ],
)
async def test_whoever_is_not_trusted_causes_no_request(
    oauth: dict[str, Any], members: dict[str, Any], code: str, text: str
) -> None:
    """Attack: a definition names its own issuer, and the gateway fetches what it is told to (C56, C59)."""
    fetcher = Recording()
    keys = RemoteKeys(issuer=ISSUER, fetcher=fetcher)
    definition = read_definition(wire(oauth={"token": token(), **oauth}, **members))
    assert await Bench(keys=keys).refusal(definition) == (code, text)
    assert fetcher.asked == []


async def test_the_claimed_issuer_causes_no_request_either() -> None:
    """A token under the trusted provider's name that says it is somebody else's."""
    fetcher = Recording()
    keys = RemoteKeys(issuer=ISSUER, fetcher=fetcher)
    await Bench(keys=keys).refusal(tool(token(iss="https://evil.example.com/")))
    assert fetcher.asked == []
    code, _ = await Bench(keys=keys).refusal(tool())
    assert code == "provider_unavailable"
    assert fetcher.asked == list(metadata_urls(ISSUER))


class Republished:
    """Keys that change when they are asked for anew, as at an issuer that puts another key under an old kid."""

    def __init__(self, before: SigningKey, after: SigningKey) -> None:
        self.keys = local_keys(before)
        self.after = local_keys(after)
        self.generation = 0
        self.refetched = 0

    def current(self) -> bool:
        """Always."""
        return True

    async def refetch(self) -> bool:
        """Once."""
        self.refetched += 1
        if self.keys is not self.after:
            self.keys, self.generation = self.after, self.generation + 1
            return True
        return False

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """The key."""
        return await self.keys.find(kid, algorithm)


async def test_a_signature_that_fails_is_tried_with_the_set_as_it_is_now() -> None:
    """R169, once; what fails then, fails."""
    keys = Republished(SigningKey("ES256", "key-1"), signing_key())
    bench = Bench(keys=keys)
    verdict = await bench.verdict(tool())
    assert verdict.etdi.status == "verified"
    assert verdict.basis.generation == 1
    assert await bench.refusal(tool(MALLORY.sign(claims()))) == BAD_SIGNATURE
    assert keys.refetched == 2


class Silent:
    """No keys are to be had."""

    generation = 0

    def current(self) -> bool:
        """None."""
        return False

    async def refetch(self) -> bool:
        """Nothing."""
        return False

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """Nobody can tell."""
        raise IssuerUnavailable


async def test_keys_that_cannot_be_had() -> None:
    """Nobody knows whether the token is good; it is not taken for good."""
    code, text = await Bench(keys=Silent()).refusal(tool())
    assert code == "provider_unavailable"
    assert text.startswith("Token validation error: ")


def test_a_set_with_one_kid_twice_is_no_set() -> None:
    """Which of the two verified would be a matter of their order."""
    with pytest.raises(ValueError, match="same key id"):
        local_keys(EC, MALLORY)
    assert key_set(EC)


PARTS = st.sampled_from([HEAD, BODY, SIGNATURE, "", "x", "e30", b64url(b'{"alg":"none"}')]) | st.text(
    max_size=12
)
ANY_CLAIM = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.lists(st.text(max_size=4), max_size=2)
)


@given(st.lists(PARTS, max_size=4).map(".".join) | st.text(max_size=60))
@settings(max_examples=150, deadline=None)
async def test_any_text_is_no_token(jwt: str) -> None:
    """Only the very token that the issuer made verifies; everything else has a verdict, and none throws."""
    etdi = (await Bench().verdict(tool(jwt))).etdi
    assert (etdi.status == "verified") == (jwt == GOOD)
    assert etdi.error is not None or jwt == GOOD


@given(st.sampled_from(sorted(claims())), ANY_CLAIM)
@settings(max_examples=150, deadline=None)
async def test_any_change_of_a_claim_is_judged(name: str, value: Any) -> None:
    """Signed by the issuer as it may be, a claim of another value or type verifies only where it says nothing else."""
    etdi = (await Bench().verdict(tool(signing_key().sign({**claims(), name: value}, typ="etdi+jwt")))).etdi
    assert (etdi.status == "verified") == (name == "sub"), (name, value)
