"""What the local side reads from the environment: a token, and where things are on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.errors import SettingsError
from gateway.settings.environment import TOKEN_VARIABLE
from gateway.settings.model import Hidden

_PAGES = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """This machine, for one user. ``platform`` is ``sys.platform``."""

    platform: str
    home: Path
    state: Path
    """Where tokens are kept if there is no keyring."""
    appdata: Path
    """``%APPDATA%`` on Windows, ``~/.config`` elsewhere."""
    codex: Path
    can_open_pages: bool


def token_from(variable: str | None, environ: Mapping[str, str] | None = None) -> Hidden | None:
    """The token in ``variable``, which then must hold one; without it, in ``COUNTERSIGN_TOKEN`` if that is set.

    :raises SettingsError: naming the variable.
    """
    environ = os.environ if environ is None else environ
    name = variable or TOKEN_VARIABLE
    value = environ.get(name)
    if value is None:
        if variable is not None:
            raise SettingsError(f"{name}: is not set; it should hold the token.")
        return None
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise SettingsError(f"{name}: holds no token; unset it, or put one there.")
    return Hidden(value)


def this_machine(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Machine:
    """Where things are. What is *not* checked: that any of it exists."""
    environ = os.environ if environ is None else environ
    home = Path(environ.get("USERPROFILE" if platform == "win32" else "HOME") or Path.home())
    if platform == "win32":
        appdata = _folder(environ, "APPDATA", home / "AppData/Roaming")
        state = _folder(environ, "LOCALAPPDATA", home / "AppData/Local")
    elif platform == "darwin":
        appdata, state = home / ".config", home / "Library/Application Support"
    else:
        appdata = _folder(environ, "XDG_CONFIG_HOME", home / ".config")
        state = _folder(environ, "XDG_STATE_HOME", home / ".local/state")
    return Machine(
        platform=platform,
        home=home,
        state=state / "countersign",
        appdata=appdata,
        codex=_folder(environ, "CODEX_HOME", home / ".codex"),
        can_open_pages=platform in ("win32", "darwin") or any(environ.get(name) for name in _PAGES),
    )


def _folder(environ: Mapping[str, str], name: str, default: Path) -> Path:
    """A variable that holds an absolute path; a relative one means nothing (XDG base directories say so too)."""
    value = environ.get(name)
    return Path(value) if value and Path(value).is_absolute() else default
