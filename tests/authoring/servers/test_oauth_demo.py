"""The demo plays the whole life of a token, and would say so if a step failed."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest

from gateway.authoring.servers import oauth_demo
from gateway.authoring.servers.demo_issuer import demo_issuer


async def test_every_step_is_as_promised(tmp_path: Path) -> None:
    """R179: start, call, verify, keep, renew, new version, old token, revocation."""
    steps = await oauth_demo.play(tmp_path)
    assert [(step.title, step.as_promised) for step in steps] == [(step.title, True) for step in steps]
    assert len(steps) == 8
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


async def test_a_step_that_fails_is_said(tmp_path: Path) -> None:
    """On the second run in one folder the tool has a history: its first words are a change by now."""
    await oauth_demo.play(tmp_path)
    again = await oauth_demo.play(tmp_path)
    assert not all(step.as_promised for step in again)


@pytest.mark.parametrize(
    ("form", "secret", "status"),
    [
        ({"grant_type": "client_credentials", "tool_claims": "{}"}, None, 400),
        ({"grant_type": "password", "tool_claims": "{}"}, None, 400),
        ({"grant_type": "client_credentials", "tool_claims": "x"}, None, 400),
        ({}, "wrong", 401),
    ],
)
async def test_the_demo_issuer_is_no_fool(form: dict[str, str], secret: str | None, status: int) -> None:
    """It grants what a tool asks for, to its client."""
    async with demo_issuer() as issuer, httpx.AsyncClient() as http:
        auth = httpx.BasicAuth("demo-tools", secret or issuer.client_secret)
        assert (await http.post(f"{issuer.url}/token", data=form, auth=auth)).status_code == status
        assert (await http.post(f"{issuer.url}/token", data=form)).status_code == 401
        assert issuer.granted == 0
