"""Settings as frozen values."""

import json

import msgspec
import pytest

from gateway.settings.model import (
    HandshakeSettings,
    Hidden,
    PayPalSettings,
    PolicySettings,
    Settings,
    StateSettings,
    UpstreamSettings,
)

SECRET = "hunter2-hunter2"


def test_a_secret_is_not_shown() -> None:
    """Neither alone nor inside of settings, where a traceback or a log would print them."""
    paypal = PayPalSettings(client_id="id", client_secret=Hidden(SECRET), access_token=Hidden(SECRET))
    settings = Settings(
        paypal=paypal,
        upstreams={"x": UpstreamSettings(url="https://x", bearer=Hidden(SECRET))},
        policy=PolicySettings(opa_token=Hidden(SECRET)),
        state=StateSettings(url=f"redis://user:{SECRET}@redis"),
    )
    for shown in (
        repr(Hidden(SECRET)),
        repr(settings),
        repr(settings.state),
        f"{[paypal]}",
        f"{settings!r:>5}",
    ):
        assert SECRET not in shown
    assert repr(settings).count("***") >= 5


def test_a_secret_is_the_text_it_hides() -> None:
    """For those who use it; it can be compared and sent."""
    assert Hidden(SECRET) == SECRET
    assert Hidden(SECRET).encode() == SECRET.encode()


def test_nothing_changes_settings_after_the_start() -> None:
    """Frozen, sections included."""
    settings = Settings()
    with pytest.raises(AttributeError):
        settings.paypal.environment = "PRODUCTION"  # type: ignore[misc]  # the assignment that must fail


def test_the_defaults_are_the_careful_ones() -> None:
    """This machine only, sandbox, embedded engine, nobody recognised."""
    settings = Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 3000)
    assert settings.paypal.environment == "SANDBOX"
    assert settings.identity.tokens == ()
    assert settings.door.allowed_origins == ()


@pytest.mark.parametrize(
    ("listen", "host", "port"),
    [("0.0.0.0:80", "0.0.0.0", 80), ("[::1]:3000", "::1", 3000), ("localhost:0", "localhost", 0)],
)
def test_listen_is_a_host_and_a_port(listen: str, host: str, port: int) -> None:
    """Brackets are the notation of IPv6, and not part of the address to bind."""
    settings = Settings(listen=listen)
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize("seconds", [0, 61, -1])
def test_no_setting_lengthens_the_life_of_a_token(seconds: int) -> None:
    """The hard cap of invariant 3."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"ttl_seconds": seconds}, HandshakeSettings)


@pytest.mark.parametrize("seconds", [0, -1, 601, float("inf"), float("nan")])
def test_every_wait_ends(seconds: float) -> None:
    """Zero, no end, and no number."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"timeout_s": seconds}, PolicySettings)


def test_an_unknown_member_is_refused() -> None:
    """A misspelt setting would be one that nobody reads."""
    with pytest.raises(msgspec.ValidationError, match="enviroment"):
        msgspec.json.decode(json.dumps({"enviroment": "PRODUCTION"}), type=PayPalSettings)
