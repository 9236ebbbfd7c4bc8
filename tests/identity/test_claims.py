"""Claims of a verified token."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.caller import Caller
from gateway.identity.claims import MAX_LIST_ENTRIES, caller_from_claims
from gateway.identity.errors import CredentialRefused
from gateway.identity.issuer import TrustedIssuer

NOW = 1_795_224_000
ISSUER = "https://idp.example/tenant"
GATEWAY = "https://gateway.example/mcp"
TRUSTED = TrustedIssuer(issuer=ISSUER, role_claim=("realm_access", "roles"))
GOOD: dict[str, Any] = {"iss": ISSUER, "aud": GATEWAY, "sub": "alice", "iat": NOW - 10, "exp": NOW + 600}
MISSING: Any = object()
NULL: Any = None


def judge(trusted: TrustedIssuer = TRUSTED, *, now: float = NOW, **changes: Any) -> tuple[Caller, int]:
    """The good claims with some changed; MISSING removes one."""
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not MISSING}
    return caller_from_claims(claims, trusted=trusted, audience=GATEWAY, now=now)


def refusal(trusted: TrustedIssuer = TRUSTED, **changes: Any) -> str:
    """The code, without its room."""
    with pytest.raises(CredentialRefused) as refused:
        judge(trusted, **changes)
    return refused.value.code.removeprefix("identity.")


def test_good_claims_are_a_caller() -> None:
    """The control, with everything a token may carry."""
    caller, expires = judge(
        scope="tools:list tools:call tools:list",
        client_id="desktop",
        azp="desktop",
        realm_access={"roles": ["approver", "auditor"]},
        cnf={"jkt": "x" * 43},
        nbf=NOW - 5,
        anything={"else": [1.5, None]},
    )
    assert caller == Caller(
        issuer=ISSUER,
        subject="alice",
        client_id="desktop",
        scopes=("tools:list", "tools:call"),
        roles=("approver", "auditor"),
        key_thumbprint="x" * 43,
    )
    assert expires == NOW + 600


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "iat", "exp"])
def test_each_required_claim_is_required(claim: str) -> None:
    """R073: remove each, refused; null is missing too."""
    assert refusal(**{claim: MISSING})
    assert refusal(**{claim: NULL})


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    [0, -1, True, False, "1795224500", 1795224500.0, 1795224500.5, 2**40 + 1, 2**53, [NOW + 5], {}, ""],
)
def test_a_time_that_is_no_sensible_integer_is_refused(claim: str, value: Any) -> None:
    """C58: an exp of 0, a string or an endless number must not read as never."""
    assert refusal(**{claim: value}) == "token_invalid"


def test_an_expired_token_is_expired_to_the_second() -> None:
    """No leeway here: the issuer said until when."""
    judge(now=NOW + 599.9)
    with pytest.raises(CredentialRefused) as refused:
        judge(now=NOW + 600)
    assert refused.value.code == "identity.token_expired"


@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_token_from_the_future_waits_for_its_time(claim: str) -> None:
    """The issuer's clock may run ahead by the leeway and no more."""
    within: Any = NOW + 30
    judge(**{claim: within})
    assert refusal(**{claim: within + 1}) == "token_not_yet_valid"


def test_a_token_that_lives_too_long_is_refused() -> None:
    """An issuer that hands out year-long tokens does so against the configuration."""
    judge(exp=NOW - 10 + 3600)
    assert refusal(exp=NOW - 10 + 3601) == "token_invalid"
    assert refusal(iat=NOW + 20, exp=NOW + 10) == "token_invalid"
    day = TrustedIssuer(issuer=ISSUER, max_lifetime_s=86_400)
    judge(day, exp=NOW + 80_000)


@pytest.mark.parametrize(
    "issuer",
    [
        ISSUER + "/",
        ISSUER + "x",
        "https://idp.example/Tenant",
        "https://IDP.example/tenant",
        "http://idp.example/tenant",
        "https://idp.example",
        "https://idp.example.attacker.example/tenant",
        "https://attacker.example/?https://idp.example/tenant",
        "x" + ISSUER,
        ISSUER + "\u0000",
        " " + ISSUER,
        [ISSUER],
        {"iss": ISSUER},
    ],
)
def test_a_near_issuer_is_another_issuer(issuer: object) -> None:
    """C18: exact string compare."""
    assert refusal(iss=issuer) == "issuer_unknown"


@pytest.mark.parametrize("audience", [GATEWAY, [GATEWAY], ["https://idp.example/userinfo", GATEWAY]])
def test_the_gateway_must_be_among_the_audiences(audience: object) -> None:
    """RFC 7519 section 4.1.3: a string or a list."""
    judge(aud=audience)


@pytest.mark.parametrize(
    "audience",
    [
        "https://other.example/mcp",
        GATEWAY + "/",
        GATEWAY + "/x",
        GATEWAY.upper(),
        "https://gateway.example",
        "",
        [],
        [[GATEWAY]],
        ["https://other.example"],
        [GATEWAY, 7],
        {GATEWAY: True},
        7,
        [GATEWAY] * (MAX_LIST_ENTRIES + 1),
    ],
)
def test_a_token_for_another_service_is_refused(audience: object) -> None:
    """Otherwise any service of the same issuer could use its users' tokens here."""
    assert refusal(aud=audience) in {"audience_mismatch", "token_invalid"}


def test_an_issuer_with_its_own_name_for_the_gateway() -> None:
    """Instead of the URL, not besides it."""
    entra = TrustedIssuer(issuer=ISSUER, audience="api://gateway")
    judge(entra, aud="api://gateway")
    assert refusal(entra, aud=GATEWAY) == "audience_mismatch"


@pytest.mark.parametrize(
    "subject", ["", 7, ["alice"], "a" * 257, "a\nb", "a\u202eb", "a\u200bb", "\ud800", "a\x00"]
)
def test_a_subject_is_a_visible_name(subject: object) -> None:
    """Two subjects must not look like one to whoever approves."""
    assert refusal(sub=subject) == "token_invalid"


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({}, ()),
        ({"scope": ""}, ()),
        ({"scope": "a b"}, ("a", "b")),
        ({"scp": ["a", "b"]}, ("a", "b")),
        ({"scp": "a b"}, ("a", "b")),
        ({"scope": "a b", "scp": ["b", "a"]}, ("a", "b")),
    ],
)
def test_scopes_in_both_spellings(claims: dict[str, Any], scopes: tuple[str, ...]) -> None:
    """RFC 9068 `scope`; `scp` of Okta (list) and Entra (string)."""
    assert judge(**claims)[0].scopes == scopes


@pytest.mark.parametrize(
    "claims",
    [
        {"scope": "a", "scp": ["a", "b"]},
        {"scope": "", "scp": ["admin"]},
        {"scope": ["a", 7]},
        {"scope": 7},
        {"scope": {"a": True}},
        {"scp": ["a b"]},
        {"scp": [""]},
        {"scope": 'a "b'},
        {"scope": "a\tb"},
        {"scope": "a" * 300},
        {"scope": " ".join(str(n) for n in range(MAX_LIST_ENTRIES + 1))},
    ],
)
def test_doubtful_scopes_are_refused(claims: dict[str, Any]) -> None:
    """Spellings that disagree (C27), wrong types, characters that break a header, too many."""
    assert refusal(**claims) == "token_invalid"


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        (MISSING, ()),
        (None, ()),
        ({}, ()),
        ({"roles": []}, ()),
        ({"roles": "approver"}, ("approver",)),
        ({"roles": ["a", "a"]}, ("a",)),
        (["roles"], ()),
        ("roles", ()),
    ],
)
def test_roles_come_from_the_configured_place(roles: object, found: tuple[str, ...]) -> None:
    """Nothing there means no roles."""
    assert judge(realm_access=roles)[0].roles == found


def test_roles_from_another_place_count_for_nothing() -> None:
    """A `roles` claim is not a grant until the operator says so."""
    plain = TrustedIssuer(issuer=ISSUER)
    assert judge(plain, roles=["admin"], realm_access={"roles": ["admin"]})[0].roles == ()
    url = TrustedIssuer(issuer=ISSUER, role_claim=("https://gateway.example/roles",))
    there: dict[str, Any] = {"https://gateway.example/roles": ["a"]}
    assert judge(url, **there)[0].roles == ("a",)


@pytest.mark.parametrize("roles", [7, {"a": 1}, ["a", 7], [""], ["a\u202eb"], ["r"] * (MAX_LIST_ENTRIES + 1)])
def test_doubtful_roles_are_refused(roles: object) -> None:
    """Not dropped: a token that is half understood is not understood."""
    assert refusal(realm_access={"roles": roles}) == "token_invalid"


@pytest.mark.parametrize(
    "claims",
    [{"client_id": "a", "azp": "b"}, {"client_id": ""}, {"client_id": 7}, {"azp": ["a"]}, {"azp": "a\nb"}],
)
def test_a_doubtful_client_is_refused(claims: dict[str, Any]) -> None:
    """Two clients in one token: nobody knows which one acts."""
    assert refusal(**claims) == "token_invalid"


def test_the_client_in_both_spellings() -> None:
    """RFC 9068 and OpenID Connect."""
    assert judge(client_id="a")[0].client_id == judge(azp="a")[0].client_id == "a"
    assert judge()[0].client_id is None


@pytest.mark.parametrize(
    "confirmation",
    [
        {},
        {"x5t#S256": "x" * 43},
        {"jkt": "x" * 43, "x5t#S256": "x" * 43},
        {"jkt": "x" * 42},
        {"jkt": "x" * 42 + "="},
        {"jkt": 7},
        {"jwk": {}},
        "x" * 43,
        [],
    ],
)
def test_a_binding_that_cannot_be_checked_is_refused(confirmation: object) -> None:
    """A bound token whose binding nobody checks is a bearer token for whoever stole it."""
    assert refusal(cnf=confirmation) == "token_invalid"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(
        ["sub", "aud", "exp", "iat", "nbf", "scope", "scp", "azp", "client_id", "cnf", "realm_access"]
    ),
    JSON,
)
def test_any_value_of_any_claim_is_a_caller_or_a_refusal(claim: str, value: Any) -> None:
    """No other exception gets out, and what gets through can be put to the policy."""
    try:
        caller, expires = judge(**{claim: value})
    except CredentialRefused:
        return
    assert msgspec.json.decode(msgspec.json.encode(caller), type=Caller) == caller
    assert NOW < expires <= NOW + 3600


def test_scopes_are_read_where_the_operator_says() -> None:
    """A list, or one string; the usual claims count no more then, and nothing at the place grants nothing."""
    nested = msgspec.structs.replace(TRUSTED, scope_claim=("ext", "permissions"))
    for there in (["pay", "read"], "pay read"):
        caller, _ = judge(nested, ext={"permissions": there}, scope="admin", scp=["admin"])
        assert caller.scopes == ("pay", "read")
    for nothing in (MISSING, {}, {"permissions": None}, "permissions", ["permissions"]):
        caller, _ = judge(nested, ext=nothing, scope="admin")
        assert caller.scopes == ()


@pytest.mark.parametrize(
    "there", [7, True, {}, ["pay", 7], ["pay read"], ['p"y'], ["x"] * (MAX_LIST_ENTRIES + 1)]
)
def test_what_is_no_scope_is_refused_there_too(there: Any) -> None:
    """A place of the operator's choice is no less hostile."""
    nested = msgspec.structs.replace(TRUSTED, scope_claim=("ext", "permissions"))
    assert refusal(nested, ext={"permissions": there}) == "token_invalid"


def test_names_are_translated_and_others_grant_nothing() -> None:
    """With a map the issuer's word for a role or a scope is worth nothing unless the operator gave it a meaning."""
    mapped = msgspec.structs.replace(
        TRUSTED, role_map={"grp-7": "agent", "grp-8": "agent"}, scope_map={"ext:pay": "pay"}
    )
    caller, _ = judge(mapped, realm_access={"roles": ["agent", "grp-8", "grp-7"]}, scope="ext:pay pay admin")
    assert caller.roles == ("agent",)
    assert caller.scopes == ("pay",)
    caller, _ = judge(mapped, realm_access={"roles": ["agent"]}, scope="pay")
    assert (caller.roles, caller.scopes) == ((), ())
    nothing = msgspec.structs.replace(TRUSTED, role_map={}, scope_map={})
    caller, _ = judge(nothing, realm_access={"roles": ["agent"]}, scope="pay")
    assert (caller.roles, caller.scopes) == ((), ())
