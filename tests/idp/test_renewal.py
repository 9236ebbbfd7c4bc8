"""A signing key is followed by another after so many days, or so many tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest

from gateway.idp.key import IdpKey
from gateway.idp.renewal import DAY_S, Limits
from tests.support.faults import full_disk_under
from tests.support.idp import Idp, running_idp


def kid_of(token: str) -> str:
    """The key that signed it."""
    kid = jwt.get_unverified_header(token)["kid"]
    assert isinstance(kid, str)
    return kid


def rotations(idp: Idp) -> int:
    """Those of the schedule, by the audit."""
    return [one["reasons"] for one in idp.records()].count(["idp.key_rotated"])


@pytest.mark.parametrize(
    ("limits", "uses", "days", "due"),
    [
        (Limits(days=90, tokens=10), 9, 89, False),
        (Limits(days=90, tokens=10), 9, 90, True),
        (Limits(days=90, tokens=10), 10, 0, True),
        (Limits(days=0, tokens=0), 10**9, 10**4, False),
    ],
)
def test_when_it_is_due(limits: Limits, uses: int, days: int, due: bool) -> None:  # noqa: FBT001 - pytest
    """By either limit; not again while a successor is on its way."""
    key = IdpKey(kid="k", algorithm="ES256", jwk={}, created=0, active_from=1000, by="ops")
    now = 1000 + days * DAY_S
    assert limits.reached(key, uses=uses, now=now) is due
    ending = IdpKey(
        kid="k", algorithm="ES256", jwk={}, created=0, active_from=1000, retired_at=now + 1, by="ops"
    )
    assert not limits.reached(ending, uses=uses, now=now)


async def test_after_so_many_days(tmp_path: Path) -> None:
    """The first token after it begins the rotation, and is signed by the old key; nothing fails meanwhile."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        first = kid_of(await idp.token(acme))
        idp.clock.advance(90 * DAY_S)
        assert kid_of(await idp.token(acme)) == first
        assert len(await idp.jwks()) == 2
        assert kid_of(await idp.token(acme)) == first
        assert rotations(idp) == 1
        idp.clock.advance(idp.settings.idp.propagation_seconds)
        assert kid_of(await idp.token(acme)) != first
        assert rotations(idp) == 1


async def test_after_so_many_tokens_of_all_processes(tmp_path: Path) -> None:
    """Counted in the store (R126)."""
    async with (
        running_idp(tmp_path, rotate_uses=4) as idp,
        running_idp(tmp_path, rotate_uses=4, url=idp.url) as second,
    ):
        acme = await idp.client()
        for one in (idp, second, idp):
            await one.token(acme)
        assert len(await idp.jwks()) == 1
        await second.token(acme)
        assert len(await idp.jwks()) == 2
        await idp.token(acme)
        assert len(await idp.jwks()) == 2
        assert rotations(idp) == 1


async def test_a_rotation_that_fails_takes_no_token_with_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said in the log, and tried again with the next one."""
    async with running_idp(tmp_path, rotate_uses=2) as idp:
        acme = await idp.client()
        await idp.token(acme)
        with no_folder(tmp_path / "keys"):
            await idp.token(acme)
        assert len(await idp.jwks()) == 1
        assert [one.levelname for one in caplog.records if "rotation" in one.message] == ["ERROR"]
        await idp.token(acme)
        assert len(await idp.jwks()) == 2


async def test_a_first_key_that_cannot_be_kept_is_not_used(tmp_path: Path) -> None:
    """503 until it can; no key is published whose private half is nowhere."""
    async with running_idp(tmp_path) as idp:
        acme = await idp.client()
        (tmp_path / "keys").mkdir()
        with no_folder(tmp_path / "keys"):
            for answer in (await idp.token_for(acme), await idp.http.get(f"{idp.url}/.well-known/jwks.json")):
                assert (answer.status_code, answer.json()["code"]) == (503, "idp.key_missing")
                assert str(tmp_path) not in answer.text
        assert (await idp.shelves.keys.read()).keys == ()
        assert await idp.token(acme)


@contextmanager
def no_folder(folder: Path) -> Iterator[None]:
    """A file stands where the folder was."""
    aside = folder.rename(folder.with_name("aside"))
    folder.write_text("no folder")
    try:
        yield
    finally:
        folder.unlink()
        aside.rename(folder)


async def test_a_full_audit_disk_rotates_nothing(tmp_path: Path) -> None:
    """Nor does it issue anything."""
    async with running_idp(tmp_path, rotate_uses=1) as idp:
        acme = await idp.client()
        with full_disk_under(tmp_path / "audit.jsonl"):
            assert (await idp.token_for(acme)).status_code == 503
        assert len((await idp.shelves.keys.read()).keys) == 1
