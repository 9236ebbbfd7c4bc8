"""Hashes as OPA takes them: `opa sign` is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.bundle.hashing import file_hash, strict_object
from gateway.policy.engine import PolicyRefused
from tests.support.bundles import Pair
from tests.support.opa_program import Opa

DOCUMENTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ODD = {
    '<&>\u2028\u2029\x00\x1f\x7f\b\f\n\t"\\/': [
        "é",
        "\U0001f600",
        1.0,
        1e30,
        -0.0,
        0,
        [],
        {},
        None,
        True,
    ]
}


def by_opa(opa: Opa, pair: Pair, folder: Path, documents: list[Any]) -> dict[str, str]:
    """The hash of each document, by the name of its file."""
    for number, document in enumerate(documents):
        path = folder / f"d{number}" / "data.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"value": document}, indent=1), encoding="utf-8")
    (folder / ".manifest").write_text('{"revision":  "1"}', encoding="utf-8")
    (folder / "a.rego").write_text("package a\n", encoding="utf-8")
    done = opa.run(
        *("sign", "--bundle", folder, "--signing-alg", "ES256", "--signing-key", pair.private_path),
        *("--output-file-path", folder),
    )
    assert done.returncode == 0, done.stderr
    token = json.loads((folder / ".signatures.json").read_text())["signatures"][0]
    claims = jwt.decode(token, pair.private.public_key(), algorithms=["ES256"])
    return {one["name"]: one["hash"] for one in claims["files"]}


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(DOCUMENTS, min_size=1, max_size=30))
def test_every_document_has_the_hash_that_opa_takes(
    opa: Opa, pair: Pair, tmp_path_factory: pytest.TempPathFactory, documents: list[Any]
) -> None:
    """Whatever it holds."""
    folder = tmp_path_factory.mktemp("signed")
    hashes = by_opa(opa, pair, folder, [ODD, *documents])
    assert hashes == {name: file_hash(name, (Path("/") / name).read_bytes()) for name in hashes}


def test_white_space_and_order_do_not_count_in_documents_and_do_in_rules() -> None:
    """OPA's rule, not ours."""
    assert file_hash("data.json", b'{"a":1,"b":2}') == file_hash("x/data.json", b'{ "b": 2, "a": 1 }')
    assert file_hash("data.json", b'{"a":1}') != file_hash("data.json", b'{"a":1.0}')
    assert file_hash("a.rego", b"package a") != file_hash("a.rego", b"package a\n")


@pytest.mark.parametrize(
    "content", [b'{"a":1,"a":2}', b"{", b"\xff", b'{"a":NaN}', b"[" * 100_000, b'{"a":"\\ud800"}']
)
def test_a_document_that_readers_disagree_about_is_refused(content: bytes) -> None:
    """A key that stands twice is one thing to us and may be another to OPA."""
    with pytest.raises(PolicyRefused, match=r"data\.json|half a character"):
        file_hash("data.json", content)


def test_yaml_is_refused() -> None:
    """Its meaning depends on the reader."""
    with pytest.raises(PolicyRefused, match=r"data\.yaml"):
        file_hash("gateway/x/data.yaml", b"a: 1")


def test_a_manifest_is_an_object() -> None:
    """Nothing else."""
    assert strict_object(".manifest", b'{"a": 1}') == {"a": 1}
    with pytest.raises(PolicyRefused, match="no JSON object"):
        strict_object(".manifest", b"[]")
