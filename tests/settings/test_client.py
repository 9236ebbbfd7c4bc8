"""What the local side reads from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings.client import this_machine, token_from
from gateway.settings.environment import merge_environment

HOME = {"HOME": "/h"}


def test_the_token_is_in_its_variable() -> None:
    """The usual one, or the one that was named; unnamed and unset means none."""
    environ = {"COUNTERSIGN_TOKEN": "a", "MINE": "b"}
    assert token_from(None, environ) == "a"
    assert token_from("MINE", environ) == "b"
    assert token_from(None, {}) is None
    assert repr(token_from(None, environ)) == "'***'"


@pytest.mark.parametrize("environ", [{}, {"MINE": ""}, {"MINE": "a b"}, {"MINE": "a\nb"}, {"MINE": "é"}])
def test_a_named_variable_holds_a_token(environ: dict[str, str]) -> None:
    """Otherwise a host would go on without one, and nobody would know why."""
    with pytest.raises(SettingsError, match="MINE"):
        token_from("MINE", environ)


@pytest.mark.parametrize(
    ("platform", "environ", "state", "appdata"),
    [
        ("linux", HOME, "/h/.local/state/countersign", "/h/.config"),
        ("linux", {**HOME, "XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "/c"}, "/s/countersign", "/c"),
        ("linux", {**HOME, "XDG_STATE_HOME": "relative"}, "/h/.local/state/countersign", "/h/.config"),
        ("darwin", HOME, "/h/Library/Application Support/countersign", "/h/.config"),
        (
            "win32",
            {"USERPROFILE": "/u", "APPDATA": "/u/Roaming", "LOCALAPPDATA": "/u/Local"},
            "/u/Local/countersign",
            "/u/Roaming",
        ),
    ],
)
def test_folders_are_where_the_platform_has_them(
    platform: str, environ: dict[str, str], state: str, appdata: str
) -> None:
    """By its own variables, if they are absolute."""
    machine = this_machine(environ, platform)
    assert (machine.state, machine.appdata) == (Path(state), Path(appdata))


def test_a_machine_without_a_display_opens_no_page() -> None:
    """Unless a browser is named."""
    assert not this_machine(HOME, "linux").can_open_pages
    assert this_machine({**HOME, "DISPLAY": ":0"}, "linux").can_open_pages
    assert this_machine({**HOME, "BROWSER": "b"}, "linux").can_open_pages
    assert this_machine(HOME, "darwin").can_open_pages


def test_codex_may_live_elsewhere() -> None:
    """Its own variable says where."""
    assert this_machine({**HOME, "CODEX_HOME": "/x"}, "linux").codex == Path("/x")
    assert this_machine(HOME, "linux").codex == Path("/h/.codex")


def test_the_bridges_token_does_not_stop_the_gateway() -> None:
    """Both may run for the same person."""
    document: dict[str, object] = {}
    merge_environment(document, {"COUNTERSIGN_TOKEN": "t"})
    assert document == {}
