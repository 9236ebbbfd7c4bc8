"""The known questions tell a policy that says no from everything else."""

import msgspec
import pytest

from gateway.policy.engine import Entrypoint
from gateway.policy.vectors import VECTORS, Vector

DENY = b'{"outcome":"deny"}'
ONE = Vector(name="x", entrypoint=Entrypoint.DECISION, document=b"{}")
MANY = Vector(name="x", entrypoint=Entrypoint.LISTING, document=b"{}", want="every tool denied")


def test_every_entrypoint_is_asked() -> None:
    """The vectors are JSON, ask each entrypoint, and the first one is the empty question."""
    assert {vector.entrypoint for vector in VECTORS} == set(Entrypoint)
    assert all(isinstance(msgspec.json.decode(vector.document), dict) for vector in VECTORS)
    assert VECTORS[0].document == b"{}"


@pytest.mark.parametrize(
    ("vector", "result"),
    [(ONE, DENY), (MANY, b'{"tools":{}}'), (MANY, b'{"tools":{"a":{"visible":true,"outcome":"deny"}}}')],
)
def test_a_no_is_no_problem(vector: Vector, result: bytes) -> None:
    """Deny, or every tool denied, is what a policy must say."""
    assert vector.problem(result) is None


@pytest.mark.parametrize(
    "result",
    [
        None,
        b"",
        b"{",
        b"null",
        b"[]",
        b'"deny"',
        b"{}",
        b'{"outcome":"allow"}',
        b'{"outcome":"Deny"}',
        b'{"outcome":["deny"]}',
    ],
)
def test_anything_else_is(result: bytes | None) -> None:
    """Undefined, broken, empty, another type, another word: each is a problem with a sentence."""
    assert ONE.problem(result)


@pytest.mark.parametrize(
    "result", [None, DENY, b'{"tools":[]}', b'{"tools":{"a":{"outcome":"allow"}}}', b'{"tools":{"a":null}}']
)
def test_listings(result: bytes | None) -> None:
    """A listing that shows an unknown tool as anything but denied is a problem."""
    assert MANY.problem(result)
