"""Signatures of definitions: every leaf is covered but the token, and the key stays where it is."""

from __future__ import annotations

import copy
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from gateway.authoring.declaration import with_block
from gateway.authoring.errors import ConfigInvalid
from gateway.authoring.signing import Signer, generate_key, signed_bytes, verifies
from gateway.catalog.tool import ETDI_META_KEY

BLOCK: dict[str, Any] = {
    "id": "read",
    "version": "1.0.0",
    "provider": {"id": "files-inc", "name": "Files"},
    "permissions": ["a:b"],
    "oauth": {"provider": "idp", "token": "one"},
}
TOOL: dict[str, Any] = {
    "name": "read",
    "description": "Reads.",
    "inputSchema": {"type": "object", "properties": {"path": {"type": "string", "enum": ["a"]}}},
    "_meta": {"example.com/x": "y"},
}


def ec_key() -> ec.EllipticCurvePrivateKey:
    """P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """RSA."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def signed(signer: Signer) -> dict[str, Any]:
    """The tool with its signature."""
    block = {**BLOCK, "signatureAlgorithm": signer.algorithm, "keyId": signer.key_id}
    block["signature"] = signer.sign(signed_bytes(with_block(TOOL, block)))
    return with_block(TOOL, block)


@pytest.mark.parametrize("make", [ec_key, rsa_key])
def test_a_signature_verifies(make: Any) -> None:
    """ES256 and RS256, under the key's thumbprint."""
    key = make()
    signer = Signer(key)
    wire = signed(signer)
    assert verifies(wire, key.public_key())
    assert not verifies(wire, make().public_key())
    assert len(signer.key_id) == 43
    assert load_pem_public_key(signer.public_pem().encode()) == key.public_key()


def test_a_renewed_token_leaves_the_signature_good() -> None:
    """C24: the token comes after."""
    key = ec_key()
    wire = signed(Signer(key))
    wire["_meta"][ETDI_META_KEY]["oauth"] = {"provider": "idp", "token": "two"}
    assert verifies(wire, key.public_key())


def leaves(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a document stands."""
    if isinstance(document, dict):
        for key, value in document.items():
            yield from leaves(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from leaves(value, (*path, index))
    else:
        yield path


def test_each_leaf_is_covered() -> None:
    """C02: nested members too. Only the OAuth block is not."""
    key = ec_key()
    wire = signed(Signer(key))
    for path in leaves(wire):
        changed = copy.deepcopy(wire)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = "other"
        assert verifies(changed, key.public_key()) is ("oauth" in path), path


@pytest.mark.parametrize("algorithm", ["HS256", "none", "PS256", "ES384", None, 1])
def test_no_other_algorithm_verifies(algorithm: object) -> None:
    """R083."""
    key = ec_key()
    wire = signed(Signer(key))
    wire["_meta"][ETDI_META_KEY]["signatureAlgorithm"] = algorithm
    assert not verifies(wire, key.public_key())


@pytest.mark.parametrize("signature", [None, 1, "", "!", "x" * 86, ["a"]])
def test_what_is_no_signature_does_not_verify(signature: object) -> None:
    """And raises nothing."""
    key = ec_key()
    wire = signed(Signer(key))
    wire["_meta"][ETDI_META_KEY]["signature"] = signature
    assert not verifies(wire, key.public_key())


def test_weak_keys_are_refused() -> None:
    """Another curve, a short modulus."""
    for key in (ec.generate_private_key(ec.SECP384R1()), rsa_key(1024)):
        with pytest.raises(ConfigInvalid, match="P-256"):
            Signer(key)


def test_a_new_key_is_its_owners_alone(tmp_path: Path) -> None:
    """Mode 0600, never over another, never through a link, and shown nowhere."""
    path = tmp_path / "key.pem"
    made = generate_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Signer.from_file(path).key_id == made.key_id
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        generate_key(path)
    link = tmp_path / "link.pem"
    link.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(FileExistsError):
        generate_key(link)
    assert path.read_bytes() == before
    assert not (tmp_path / "elsewhere.pem").exists()
    assert repr(made) == f"Signer(ES256, {made.key_id})"


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """It may be somebody else's by now."""
    path = tmp_path / "key.pem"
    generate_key(path)
    path.chmod(0o640)
    with pytest.raises(ConfigInvalid, match="others can read"):
        Signer.from_file(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"encrypted"])
def test_a_file_that_is_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    """By its name, and without a word of its content."""
    path = tmp_path / "key.pem"
    if content == b"encrypted":
        content = ec_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigInvalid, match=r"key\.pem: not an unencrypted"):
        Signer.from_file(path)
    with pytest.raises(ConfigInvalid, match=r"none\.pem: the key cannot be read"):
        Signer.from_file(tmp_path / "none.pem")
    other = tmp_path / "ed.pem"
    other.write_bytes(
        ec.generate_private_key(ec.SECP521R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    other.chmod(0o600)
    with pytest.raises(ConfigInvalid):
        Signer.from_file(other)
