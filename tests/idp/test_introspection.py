"""Whether a token is good now, by RFC 7662 and R119."""

import base64
from typing import Any

import msgspec
import pytest

from gateway.idp.provider import Status
from tests.support.idp import AUDIENCE, READ, Client, Idp
from tests.support.keys import SigningKey, b64url, forge


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header and claims, unverified, and the signature."""
    header, payload, signature = token.split(".")
    opened = [
        msgspec.json.decode(base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)))
        for one in (header, payload)
    ]
    return opened[0], opened[1], signature


async def test_a_good_token_is_described(idp: Idp, acme: Client) -> None:
    """All members of R119, and those a verifier by RFC 7662 needs."""
    token = await idp.token(acme)
    claims = await idp.verified(token)
    tool = {"tool_id": "acme.read", "tool_version": "1.0.0", "tool_provider": "acme"}
    assert await idp.introspected(acme, token) == {
        "active": True,
        "token_type": "Bearer",
        "iss": idp.url,
        "sub": "acme",
        "aud": AUDIENCE,
        "scope": READ,
        "client_id": acme.provider.client_id,
        **{name: claims[name] for name in ("iat", "exp", "jti")},
        **tool,
        "toolDetails": tool,
    }


async def test_a_provider_is_told_of_its_own_tokens_and_a_verifier_of_all(idp: Idp, acme: Client) -> None:
    """Nobody scans for other people's tokens."""
    other = await idp.client("other")
    verifier = await idp.client("verifier", introspects=True, scopes=(), tools=())
    token = await idp.token(acme)
    assert not await idp.active(other, token)
    assert await idp.active(verifier, token)


async def test_nobody_asks_without_credentials(idp: Idp, acme: Client) -> None:
    """RFC 7662 section 2.1."""
    token = await idp.token(acme)
    answer = await idp.ask(None, "/introspect", token=token)
    assert answer.status_code == 401
    assert token not in answer.text


async def test_altered_and_forged_tokens_are_inactive(idp: Idp, acme: Client) -> None:
    """One byte, another key, another algorithm, another type, another issuer: one word for each."""
    token = await idp.token(acme)
    header, claims, signature = parts(token)
    own = (await idp.shelves.keys.signer())[1]
    mine = SigningKey("ES256", header["kid"])
    thief = SigningKey("ES256", header["kid"])
    thief.private = own  # for what only the key's holder could sign
    forged = [
        "",
        "x",
        token + "x",
        token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"),
        forge(header, {**claims, "scope": "*"}, b"x" * 64),
        f"{token.rpartition('.')[0]}.",
        mine.sign(claims, typ="etdi+jwt"),
        forge({**header, "alg": "none"}, claims, b""),
        thief.sign(claims, typ="at+jwt"),
        thief.sign(claims, typ=None),
        thief.sign(claims, typ="etdi+jwt", kid="unknown"),
        thief.sign(claims, typ="etdi+jwt", kid=None),
        thief.sign(claims, typ="etdi+jwt", crit=["b64"], b64=False),
        thief.sign({**claims, "iss": "https://other.example"}, typ="etdi+jwt"),
        thief.sign({**claims, "aud": "https://other.example"}, typ="etdi+jwt"),
        thief.sign({**claims, "aud": [AUDIENCE]}, typ="etdi+jwt"),
        thief.sign({**claims, "exp": claims["iat"] - 1}, typ="etdi+jwt"),
        thief.sign({**claims, "exp": "never"}, typ="etdi+jwt"),
        thief.sign({**claims, "sub": 1}, typ="etdi+jwt"),
        thief.sign({**claims, "sub": "other"}, typ="etdi+jwt"),
        thief.sign({**claims, "jti": "f" * 32}, typ="etdi+jwt"),
        thief.sign(b"{", typ="etdi+jwt"),
        signature,
        b64url(b"{}"),
    ]
    verifier = await idp.client("verifier", introspects=True, scopes=(), tools=())
    for one in forged:
        if one:
            assert not await idp.active(verifier, one), one
    assert await idp.active(verifier, thief.sign(claims, typ="etdi+jwt")), "the forgery itself is sound"
    assert await idp.active(verifier, token)


async def test_revoked_by_token_by_id_by_key_or_with_its_provider(idp: Idp, acme: Client) -> None:
    """R119: at once, each way."""
    first, second, third = [await idp.token(acme) for _ in range(3)]
    assert (await idp.ask(acme, "/revoke", token=first)).status_code == 200
    assert not await idp.active(acme, first)
    assert await idp.shelves.tokens.revoke((await idp.verified(second))["jti"]) is not None
    assert not await idp.active(acme, second)
    assert await idp.active(acme, third)
    verifier = await idp.client("verifier", introspects=True, scopes=(), tools=())
    await idp.shelves.providers.change(
        "acme", lambda one, _: msgspec.structs.replace(one, status=Status.SUSPENDED)
    )
    assert not await idp.active(verifier, third)
    await idp.shelves.providers.change(
        "acme", lambda one, _: msgspec.structs.replace(one, status=Status.APPROVED)
    )
    assert await idp.active(verifier, third)
    kid = (await idp.shelves.keys.read()).keys[0].kid
    await idp.shelves.keys.revoke(kid, by="ops", reason="stolen")
    assert not await idp.active(verifier, third)
    assert await idp.active(acme, await idp.token(acme)), "and another key signs"


async def test_revoking_is_for_ones_own_tokens_and_says_nothing(idp: Idp, acme: Client) -> None:
    """RFC 7009 section 2.2: what is no token of yours is answered like one that was."""
    other = await idp.client("other")
    token = await idp.token(acme)
    for asker, shown in ((other, token), (acme, "no-token"), (acme, token), (acme, token)):
        answer = await idp.ask(asker, "/revoke", token=shown, token_type_hint="access_token")
        assert (answer.status_code, answer.content) == (200, b"")
        if asker is other:
            assert await idp.active(acme, token)
    assert not await idp.active(acme, token)
    assert [one["reasons"] for one in idp.records()].count(["idp.token_revoked"]) == 1


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
async def test_without_a_token_there_is_nothing_to_say(idp: Idp, acme: Client, path: str) -> None:
    """400, not an inactive nothing."""
    answer = await idp.ask(acme, path, other="x")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
