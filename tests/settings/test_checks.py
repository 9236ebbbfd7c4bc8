"""Contradictions that no single setting shows."""

from typing import Any

import pytest

from gateway.errors import SettingsError
from gateway.identity.static import StaticToken
from gateway.settings.checks import check, check_paypal, is_address, is_loopback
from gateway.settings.model import (
    DoorSettings,
    Hidden,
    IdentitySettings,
    IssuerSettings,
    OAuthSettings,
    PayPalSettings,
    PolicySettings,
    Settings,
    UpstreamSettings,
)

TOKEN = StaticToken(sha256="ab" * 32, subject="agent")
SOMEBODY = IdentitySettings(tokens=(TOKEN,))


def refusal(**members: Any) -> str:
    """Why these settings are refused."""
    with pytest.raises(SettingsError) as caught:
        check(Settings(**{"identity": SOMEBODY, **members}))
    return caught.value.message


def accepted(**members: Any) -> None:
    """These settings are not refused."""
    check(Settings(**{"identity": SOMEBODY, **members}))


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:3000", "0.0.0.0:80", "[::]:1", "localhost:0", "host.example:65535"]
)
def test_an_address_is_a_host_and_a_port(listen: str) -> None:
    """IPv6 in brackets."""
    assert is_address(listen)


@pytest.mark.parametrize(
    "listen",
    [
        "",
        ":",
        "x",
        "x:",
        ":1",
        "x:65536",
        "x:-1",
        "x:1a",
        "::1",
        "::1:1",
        "[]:1",
        "x:123456",
        "x:" + "9" * 5_000,
    ],
)
def test_anything_else_is_none(listen: str) -> None:
    """Ports that are none included."""
    assert not is_address(listen)
    assert refusal(listen=listen).startswith("listen: ")


@pytest.mark.parametrize(
    "url",
    [
        "https://gateway.example",
        "https://gateway.example:8443/paypal/",
        "http://localhost:3000",
        "http://127.9.9.9",
        "http://[::1]:3000",
    ],
)
def test_a_public_url(url: str) -> None:
    """https anywhere, http on this machine."""
    accepted(public_url=url)


@pytest.mark.parametrize(
    "url",
    [
        "gateway.example",
        "ftp://gateway.example",
        "https://",
        "https://[",
        "https://[::1",
        "https://gateway.example:x",
        "https://gateway.example:0",
        "https://gateway.example/?a",
        "https://gateway.example/#a",
        "https://user@gateway.example",
        "https://Gateway.example",
        "https://gate way.example",
        "https://gateway.example\\evil",
        "http://gateway.example",
        "http://192.168.0.1",
        "http://localhost.evil.example",
        "http://[2001:db8::1]",
    ],
)
def test_no_public_url(url: str) -> None:
    """No URL, one that tokens cannot name, or bearer tokens in the clear (R045)."""
    assert refusal(public_url=url).startswith("public_url: ")


@pytest.mark.parametrize("host", ["https://x", "a b", "a/b"])
def test_allowed_hosts_are_hosts(host: str) -> None:
    """One with a scheme would never match, and nobody would learn why."""
    assert refusal(door=DoorSettings(allowed_hosts=("ok:1", host))).startswith("door.allowed_hosts: ")


@pytest.mark.parametrize(
    "origin", ["*", "null", "app.example", "https://app.example/x", "https://u@app.example", "https://["]
)
def test_allowed_origins_are_origins(origin: str) -> None:
    """There is no wildcard."""
    assert refusal(door=DoorSettings(allowed_origins=(origin,))).startswith("door.allowed_origins: ")
    accepted(door=DoorSettings(allowed_origins=("https://app.example", "http://localhost:5173/")))


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"access_token": Hidden("a"), "client_id": "b"}, "paypal.access_token"),
        (
            {"access_token": Hidden("a"), "client_id": "b", "client_secret": Hidden("c")},
            "paypal.access_token",
        ),
        ({"client_id": "b"}, "paypal.client_secret"),
        ({"client_secret": Hidden("b")}, "paypal.client_secret"),
        ({"environment": "PRODUCTION", "base_url": "https://x.example"}, "paypal.base_url"),
        ({"base_url": "http://paypal.example"}, "paypal.base_url"),
        ({"base_url": "nonsense"}, "paypal.base_url"),
    ],
)
def test_contradictions_about_the_target(members: dict[str, Any], key: str) -> None:
    """Two credentials, half of one, production on another host, a secret in the clear."""
    paypal = PayPalSettings(**members)
    assert refusal(paypal=paypal).startswith(f"{key}: ")
    with pytest.raises(SettingsError, match=f"^{key}: "):
        check_paypal(paypal)


REACHABLE = [
    "https://x.example",
    "https://10.0.0.1/mcp",
    "http://127.0.0.1:8900",
    "http://localhost",
    "http://opa:8181",
    "http://sim_1",
]
UNREACHABLE = [
    "http://x.example",
    "http://10.0.0.1",
    "http://[2001:db8::1]",
    "http://[fe80::1]:80",
    "http://2130706433",
    "http://0x7f000001",
    "http://[",
    "http://opa:99999",
    "http://u:p@opa",
    "https://x.example?a=b",
    "https://x.example#a",
    "file:///etc/passwd",
    "opa:8181",
    "http://",
    "http://-",
]


@pytest.mark.parametrize("url", REACHABLE)
def test_where_credentials_may_go(url: str) -> None:
    """https anywhere; http to this machine or to a service of the same private network."""
    accepted(upstreams={"x": UpstreamSettings(url=url)})
    accepted(policy=PolicySettings(opa_url=url))
    accepted(paypal=PayPalSettings(base_url=url))


@pytest.mark.parametrize("url", UNREACHABLE)
def test_where_credentials_may_not_go(url: str) -> None:
    """An address is not a service name, in whatever way it is written."""
    assert refusal(upstreams={"x": UpstreamSettings(url=url)}).startswith("upstreams.x.url: ")
    assert refusal(policy=PolicySettings(opa_url=url)).startswith("policy.opa_url: ")


def test_the_engine_may_be_a_socket_file() -> None:
    """Beside the gateway in one pod."""
    accepted(policy=PolicySettings(opa_url="unix:///run/opa.sock"))
    assert refusal(policy=PolicySettings(opa_url="unix:opa.sock")).startswith("policy.opa_url: ")


@pytest.mark.parametrize("name", ["", "a/b", "a.b", "-a", "_", "ä", "a b", "..", "a" * 65])
def test_names_of_servers_fit_into_a_path(name: str) -> None:
    """``/mcp/<name>``."""
    assert refusal(upstreams={name: UpstreamSettings(url="https://x.example")}).startswith(
        f"upstreams.{name}: "
    )
    accepted(upstreams={"crm-2_x": UpstreamSettings(url="https://x.example")})


def test_one_name_is_one_server() -> None:
    """The built-in one has its name while it is on."""
    upstreams = {"paypal": UpstreamSettings(url="https://x.example")}
    assert refusal(upstreams=upstreams).startswith("upstreams.paypal: ")
    accepted(upstreams=upstreams, paypal=PayPalSettings(enabled=False))


def test_a_gateway_to_nowhere_does_not_start() -> None:
    """No PayPal, no upstream."""
    assert refusal(paypal=PayPalSettings(enabled=False)).startswith("upstreams: there is no target")


def test_somebody_must_be_recognised() -> None:
    """Unset is not open."""
    assert refusal(identity=IdentitySettings()).startswith("identity: ")
    accepted(identity=IdentitySettings(issuers=(IssuerSettings(issuer="https://idp.example"),)))


def test_one_token_is_one_caller_and_one_issuer_has_one_entry() -> None:
    """The second would never be asked, or would be somebody else."""
    twice = (TOKEN, StaticToken(sha256=TOKEN.sha256, subject="other"))
    said = refusal(identity=IdentitySettings(tokens=twice))
    assert said.startswith("identity.tokens: ")
    assert TOKEN.sha256 not in said
    issuer = IssuerSettings(issuer="https://idp.example")
    assert refusal(identity=IdentitySettings(issuers=(issuer, issuer))).startswith("identity.issuers: ")


def test_keys_of_an_issuer_come_from_one_place() -> None:
    """A file, or an address."""
    issuer = IssuerSettings(
        issuer="https://idp.example", jwks_uri="https://idp.example/k", jwks_file="k.json"
    )
    assert "jwks_uri or jwks_file" in refusal(identity=IdentitySettings(issuers=(issuer,)))


def test_asking_an_issuer_takes_an_address_and_an_account() -> None:
    """Any part alone is a mistake that would show at the first token; and the secret is not quoted."""
    where, client, secret = "https://idp.example/introspect", "gateway", Hidden("unsafe-secret")
    for half in (
        {"introspection_url": where},
        {"introspection_url": where, "introspection_client_id": client},
        {"introspection_url": where, "introspection_client_secret": secret},
        {"introspection_client_id": client},
        {"introspection_client_secret": secret},
    ):
        issuer = IssuerSettings(issuer="https://idp.example", **half)
        said = refusal(identity=IdentitySettings(issuers=(issuer,)))
        assert "introspection_url" in said
        assert secret not in said
    whole = IssuerSettings(
        issuer="https://idp.example",
        introspection_url=where,
        introspection_client_id=client,
        introspection_client_secret=secret,
    )
    accepted(identity=IdentitySettings(issuers=(whole,)))
    assert secret not in repr(whole)


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("127.1", False),
        ("", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_what_is_only_this_machine(host: str, here: bool) -> None:  # noqa: FBT001
    """Every other host is not."""
    assert is_loopback(host) == here


@pytest.mark.parametrize(
    ("one", "key"),
    [
        (UpstreamSettings(), "upstreams.x: "),
        (UpstreamSettings(url="https://x.example", command=("a",)), "upstreams.x: "),
        (UpstreamSettings(url="https://x.example", env={"A": Hidden("b")}), "upstreams.x.env: "),
        (UpstreamSettings(url="https://x.example", cwd="/tmp"), "upstreams.x.env: "),
        (UpstreamSettings(command=("a",), bearer=Hidden("b")), "upstreams.x.bearer: "),
        (UpstreamSettings(command=("a", "b\0c")), "upstreams.x.command: "),
        (UpstreamSettings(command=("a",), env={"A=B": Hidden("b")}), "upstreams.x.env: "),
    ],
)
def test_an_upstream_is_a_url_or_a_command(one: UpstreamSettings, key: str) -> None:
    """One of them, with what belongs to it."""
    assert refusal(upstreams={"x": one}).startswith(key)
    accepted(upstreams={"x": UpstreamSettings(command=("a", "--b c"), env={"A_1": Hidden("b")}, cwd="/tmp")})


def oauth(**members: Any) -> OAuthSettings:
    """Complete, or changed."""
    given = {"token_url": "https://idp.example/t", "client_id": "g", "client_secret": Hidden("s"), **members}
    return OAuthSettings(**given)


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"oauth": oauth(), "bearer": Hidden("b")}, "oauth"),
        ({"oauth": oauth(token_url="http://idp.example/t")}, "oauth.token_url"),
        ({"oauth": oauth(token_url="http://idp/t")}, "oauth.token_url"),
        ({"oauth": oauth(token_url="https://u:p@idp.example/t")}, "oauth.token_url"),
        ({"oauth": oauth(token_url="https://idp.example/t#x")}, "oauth.token_url"),
        ({"oauth": oauth(client_secret=Hidden(""))}, "oauth.client_secret"),
        ({"oauth": oauth(scopes=("a b",))}, "oauth.scopes"),
        ({"oauth": oauth(resource="crm")}, "oauth.resource"),
        ({"oauth": oauth(resource="https://x.example#a")}, "oauth.resource"),
    ],
)
def test_a_registration_that_cannot_work_or_is_not_safe(members: dict[str, Any], key: str) -> None:
    """Secrets and the callers' tokens go to its token URL."""
    said = refusal(upstreams={"x": UpstreamSettings(url="https://x.example", **members)})
    assert said.startswith(f"upstreams.x.{key}: ")
    assert "'s'" not in repr(members)


def test_a_registration() -> None:
    """For a server over HTTP."""
    for url in ("https://idp.example/t?tenant=1", "http://127.0.0.1:8080/t", "http://localhost/t"):
        accepted(upstreams={"x": UpstreamSettings(url="https://x.example", oauth=oauth(token_url=url))})
    assert refusal(upstreams={"x": UpstreamSettings(command=("a",), oauth=oauth())}).startswith(
        "upstreams.x.oauth: a command"
    )


NPM: dict[str, Any] = {"preset": "paypal-npm", "env": {"PAYPAL_ACCESS_TOKEN": Hidden("t")}}


@pytest.mark.parametrize(
    ("members", "key"),
    [
        ({"preset": "paypal-remote", "command": ("npx",)}, "preset"),
        ({"preset": "paypal-remote", "env": {"A": Hidden("b")}}, "preset"),
        ({"preset": "paypal-remote", "url": "http://mcp.paypal.com"}, "url"),
        ({**NPM, "url": "https://x.example"}, "preset"),
        ({**NPM, "bearer": Hidden("b")}, "preset"),
        ({**NPM, "oauth": oauth()}, "preset"),
        ({"preset": "paypal-npm"}, "env"),
        ({"preset": "paypal-npm", "env": {"PAYPAL_ACCESS_TOKEN": Hidden("")}}, "env"),
        ({**NPM, "env": {**NPM["env"], "PAYPAL_ENVIRONMENT": Hidden("production")}}, "env"),
        ({**NPM, "env": {**NPM["env"], "DEBUG": Hidden("agent-toolkit:*")}}, "env"),
    ],
)
def test_what_does_not_fit_a_preset(members: dict[str, Any], key: str) -> None:
    """A second environment, a log of customers' data, a credential that nobody would read."""
    assert refusal(upstreams={"x": UpstreamSettings(**members)}).startswith(f"upstreams.x.{key}: ")


def test_presets() -> None:
    """Nothing else has to be said."""
    accepted(upstreams={"x": UpstreamSettings(**NPM), "y": UpstreamSettings(preset="paypal-remote")})
    accepted(upstreams={"x": UpstreamSettings(preset="paypal-remote", oauth=oauth())})
    accepted(upstreams={"x": UpstreamSettings(**NPM, command=("npx", "@paypal/mcp@1.2.3"))})


def test_a_header_is_believed_from_named_proxies_alone() -> None:
    """Half a setting would believe anybody, or nobody."""
    header, proxies = "x-forwarded-for", ("10.0.0.0/8", "::1")
    assert refusal(door=DoorSettings(address_header=header)).startswith("door.address_header: ")
    assert refusal(door=DoorSettings(trusted_proxies=proxies)).startswith("door.address_header: ")
    odd = DoorSettings(address_header=header, trusted_proxies=("10.0.0.1/8",))
    assert refusal(door=odd).startswith("door.trusted_proxies: ")
    accepted(door=DoorSettings(address_header=header, trusted_proxies=proxies))
