"""The least that a settings file must say, and a way to read variations of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.settings import Settings, load_settings

HASH = "ab" * 32
WHO = f'identity: {{tokens: [{{sha256: "{HASH}", subject: agent}}]}}\n'
Load = Callable[..., Settings]
Refusal = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Settings of ``WHO`` and more YAML, with these variables."""

    def read(text: str | bytes = "", environ: Mapping[str, str] | None = None, **how: str) -> Settings:
        path = tmp_path / "countersign.yaml"
        path.write_bytes(text if isinstance(text, bytes) else (WHO + text).encode())
        return load_settings(path, environ or {}, **how)

    return read


@pytest.fixture
def refusal(load: Load) -> Refusal:
    """The one line with which settings are refused."""

    def read(text: str | bytes = "", environ: Mapping[str, str] | None = None, **how: str) -> str:
        with pytest.raises(SettingsError) as caught:
            load(text, environ, **how)
        assert "\n" not in caught.value.message
        assert caught.value.code == "settings.invalid"
        return caught.value.message

    return read
