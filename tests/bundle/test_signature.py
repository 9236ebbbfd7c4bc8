"""A signature covers every byte that counts, and OPA agrees about each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest

from gateway.bundle.archive import MANIFEST, SIGNATURES, packed, unpacked
from gateway.bundle.building import Built
from gateway.bundle.hashing import file_hash
from gateway.bundle.keys import thumbprint
from gateway.bundle.signature import SignatureRefused, signed, unverified, verify
from gateway.policy.engine import PolicyRefused
from tests.support.bundles import Pair, a_pair, opa_takes
from tests.support.opa_program import Opa


def by_opa(opa: Opa, pair: Pair, tmp_path: Path, files: dict[str, bytes], *, scope: str = "") -> str | None:
    """Its words, or None where it takes the bundle."""
    path = tmp_path / "asked.tar.gz"
    path.write_bytes(packed(files))
    return opa_takes(opa, path, pair.public_path, scope=scope)


def with_claims(plain: dict[str, bytes], pair: Pair, **claims: Any) -> dict[str, bytes]:
    """Signed with the right key, over something else than the files."""
    token = jwt.encode(claims, pair.private, algorithm="ES256")
    return {**plain, SIGNATURES: msgspec.json.encode({"signatures": [token]})}


def test_opa_and_we_take_what_was_signed(opa: Opa, pair: Pair, built: Built, tmp_path: Path) -> None:
    """With and without a scope; and the key is named by its thumbprint."""
    for scope in ("", "production"):
        files = signed(built.files, pair.private, scope=scope)
        assert verify(files, pair.private.public_key(), scope=scope).key_id == thumbprint(
            pair.private.public_key()
        )
        assert by_opa(opa, pair, tmp_path, files, scope=scope) is None


def test_we_take_what_opa_signed(opa: Opa, pair: Pair, built: Built, tmp_path: Path) -> None:
    """`opa build` merges, rewrites and signs; the result is an ordinary bundle to us."""
    path, out = tmp_path / "a.tar.gz", tmp_path / "b.tar.gz"
    path.write_bytes(packed(built.files))
    done = opa.run(
        *("build", "--bundle", path, "--output", out, "--signing-alg", "ES256"),
        *("--signing-key", pair.private_path),
    )
    assert done.returncode == 0, done.stderr
    files = unpacked(out.read_bytes())
    assert set(verify(files, pair.private.public_key()).files) == set(files) - {SIGNATURES}


def test_each_file_changed_is_refused_by_both(opa: Opa, pair: Pair, built: Built, tmp_path: Path) -> None:
    """One file after the other: changed, left out; and one more."""
    whole = signed(built.files, pair.private)
    tampered = [{**whole, "gateway/more/more.rego": b"package gateway.more\n"}]
    for name in built.files:
        content = whole[name]
        changed = content.replace(b"deny", b"allow").replace(b"small", b"other")
        tampered.append({**whole, name: changed if changed != content else content + b"\n# more\n"})
        tampered.append({one: whole[one] for one in whole if one != name})
    for files in tampered:
        with pytest.raises(PolicyRefused):
            verify(files, pair.private.public_key())
        assert by_opa(opa, pair, tmp_path, files) is not None


def test_another_key_another_scope_or_no_signature(
    opa: Opa, pair: Pair, built: Built, tmp_path: Path
) -> None:
    """Refused by both; a scope that was not asked for, too."""
    stranger = a_pair(tmp_path, "stranger")
    for files, scope in (
        (signed(built.files, stranger.private), ""),
        (signed(built.files, pair.private, scope="sandbox"), "production"),
        (signed(built.files, pair.private, scope="sandbox"), ""),
        (signed(built.files, pair.private), "production"),
        (built.files, ""),
    ):
        with pytest.raises(SignatureRefused):
            verify(files, pair.private.public_key(), scope=scope)
        assert by_opa(opa, pair, tmp_path, files, scope=scope) is not None


def test_a_token_of_another_algorithm_is_refused(pair: Pair, built: Built) -> None:
    """The public key as an HMAC secret, and no algorithm at all: the classic downgrades."""
    claims = jwt.decode(
        msgspec.json.decode(signed(built.files, pair.private)[SIGNATURES])["signatures"][0],
        options={"verify_signature": False},
    )
    for token in (
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "s" * 32, algorithm="HS256"),
    ):
        files = {**built.files, SIGNATURES: msgspec.json.encode({"signatures": [token]})}
        with pytest.raises(SignatureRefused):
            verify(files, pair.private.public_key())


def test_a_signature_over_something_odd_is_refused(pair: Pair, built: Built) -> None:
    """Weak hashes, two hashes for one file, no list, a delta, two signatures, a plugin."""
    good = [
        {"name": name, "hash": file_hash(name, content), "algorithm": "SHA-256"}
        for name, content in built.files.items()
    ]
    whole = signed(built.files, pair.private)
    token = msgspec.json.decode(whole[SIGNATURES])["signatures"][0]
    odd = [
        with_claims(built.files, pair, files=[{**one, "algorithm": "MD5"} for one in good]),
        with_claims(built.files, pair, files=[*good, good[0]]),
        with_claims(built.files, pair, files="all"),
        with_claims(built.files, pair, files=good, scope=["", "production"]),
        with_claims(built.files, pair),
        {**whole, SIGNATURES: msgspec.json.encode({"signatures": [token, token]})},
        {**whole, SIGNATURES: msgspec.json.encode({"signatures": [token], "plugin": "none"})},
        {**whole, SIGNATURES: b"{}"},
    ]
    for files in odd:
        with pytest.raises(SignatureRefused):
            verify(files, pair.private.public_key())
    with pytest.raises(SignatureRefused, match="delta"):
        verify({**whole, "patch.json": b"{}"}, pair.private.public_key())
    with pytest.raises(SignatureRefused, match="delta"):
        signed({**built.files, "patch.json": b"{}"}, pair.private)


def test_signing_again_replaces_the_signature(pair: Pair, built: Built) -> None:
    """And changes nothing else."""
    twice = signed(signed(built.files, pair.private, scope="a"), pair.private, scope="b", key_id="ops")
    claimed = unverified(twice)
    assert claimed is not None
    assert (claimed.scope, claimed.key_id) == ("b", "ops")
    assert {name: twice[name] for name in built.files} == built.files
    assert unverified(built.files) is None
    assert MANIFEST in claimed.files
