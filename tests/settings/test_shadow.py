"""The candidate's settings: from the file, from variables, and what contradicts itself."""

import pytest

from gateway.settings.shadow import ShadowSettings
from tests.settings.conftest import Load, Refusal


def test_variables_say_it(load: Load) -> None:
    """Numbers as numbers, over what the file says; off unless something says so."""
    environ = {"COUNTERSIGN_SHADOW_HOLD_ABOVE": "0.05", "COUNTERSIGN_SHADOW_SAMPLE": "10"}
    assert load("shadow: {path: a, sample: 3}\n", environ).shadow == ShadowSettings(
        path="a", hold_above=0.05, sample=10
    )
    assert load().shadow == ShadowSettings()


@pytest.mark.parametrize(
    ("shadow", "key"),
    [
        ("{path: a, opa_url: 'http://127.0.0.1:8182'}", "shadow.opa_url: there is one candidate"),
        ("{opa_url: 'http://203.0.113.7:8181'}", "shadow.opa_url: must be https"),
        ("{path: a, opa_token: secret}", "shadow.opa_token: is for shadow.opa_url"),
        ("{hold_above: 1.5}", "shadow.hold_above"),
        ("{hold_after: 0}", "shadow.hold_after"),
        ("{sample: 0}", "shadow.sample"),
        ("{candidate: a}", "candidate"),
    ],
)
def test_what_cannot_be_meant_names_the_key(refusal: Refusal, shadow: str, key: str) -> None:
    """A token would be shown to nobody; questions would leave this network in the clear."""
    said = refusal(f"shadow: {shadow}\n")
    assert key in said
    assert "secret" not in said


@pytest.mark.parametrize("url", ["unix:///run/opa.sock", "https://opa.example.com", "http://opa:8181"])
def test_another_opa_may_be_anywhere_safe(load: Load, url: str) -> None:
    """As the live one."""
    assert load(f"shadow: {{opa_url: '{url}'}}\n").shadow.opa_url == url
