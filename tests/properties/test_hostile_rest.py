"""Bodies that no client of the REST handshake sends: never a failure of ours, a record each, and nothing at PayPal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.conftest import MAX_BODY_BYTES
from tests.support.calls import INVOICE, refund
from tests.support.house import AGENT_TOKEN, House
from tests.support.raw_http import head, one, request
from tests.support.rest import post

UNTELLABLE = (AGENT_TOKEN, "simulator-secret", "Traceback", "/gateway/", "site-packages", ".py:", '.py\\"')
PATHS = st.sampled_from(["/authorize", "/execute"])
FINE = frozenset({200, 202})
PERHAPS = frozenset({400, 401, 403, 413})
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=30)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = st.sampled_from(
    ["sessionToken", "ephemeralToken", "tool", "parameters", "metadata", "proof", "server", "more"]
)
ONE_HOUSE = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def good(tool: str = "create_refund") -> dict[str, Any]:
    """A body of the second phase that lacks nothing but a token that was handed out."""
    parameters = refund("1.00") if tool == "create_refund" else INVOICE
    return {"sessionToken": AGENT_TOKEN, "ephemeralToken": "0" * 64, "tool": tool, "parameters": parameters}


async def refused_or_begun(house: House, path: str, body: bytes) -> None:
    """What holds for every body whatsoever."""
    calls, records = house.paypal_calls, len(house.records())
    answer = await post(house, path, body)
    if path == "/authorize" and answer.status_code == 200:
        assert set(answer.json()) == {"transactionId", "ephemeralToken"}
    else:
        assert answer.status_code in PERHAPS, (answer.status_code, answer.text)
        assert isinstance(answer.json()["error"], str)
    assert not [word for word in UNTELLABLE if word in answer.text]
    assert house.paypal_calls == calls
    assert len(house.records()) == records + 1


@ONE_HOUSE
@given(path=PATHS, body=st.binary(max_size=300))
async def test_any_bytes(house: House, path: str, body: bytes) -> None:
    """Mostly no JSON."""
    await refused_or_begun(house, path, body)


@ONE_HOUSE
@given(path=PATHS, document=JSON)
async def test_any_document(house: House, path: str, document: Any) -> None:
    """JSON, and mostly no object."""
    await refused_or_begun(house, path, json.dumps(document).encode())


@ONE_HOUSE
@given(
    path=PATHS,
    changed=st.dictionaries(MEMBERS, JSON, min_size=1, max_size=3),
    without=st.sets(MEMBERS, max_size=1),
)
async def test_any_members_in_a_good_body(
    house: House, path: str, changed: dict[str, Any], without: set[str]
) -> None:
    """Wrong types, members too many and too few, on a call that would move money."""
    document = {**good(), **changed}
    if path == "/authorize" and "ephemeralToken" not in changed:
        del document["ephemeralToken"]
    await refused_or_begun(
        house, path, json.dumps({key: one for key, one in document.items() if key not in without}).encode()
    )


@ONE_HOUSE
@given(path=PATHS, at=st.integers(0, 400), byte=st.integers(0, 255))
async def test_one_wrong_byte(house: House, path: str, at: int, byte: int) -> None:
    """Anywhere in a good body."""
    document = good("create_invoice")
    if path == "/authorize":
        del document["ephemeralToken"]
    body = bytearray(json.dumps(document).encode())
    body[at % len(body)] = byte
    await refused_or_begun(house, path, bytes(body))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "door.json"),
        (b'{"sessionToken":"x",}', "door.json"),
        (b"\xff\xfe", "door.encoding"),
        (b'{"tool":"a","tool":"b"}', "door.duplicate_key"),
        (b'{"parameters":{"value":1,"v\\u0061lue":2}}', "door.duplicate_key"),
        (b'{"parameters":{"value":NaN}}', "door.number"),
        (b'{"parameters":{"value":9007199254740993}}', "door.number"),
        (b'{"parameters":{"value":"\\ud800"}}', "door.surrogate"),
        (b"[" * 10_000, "door.depth"),
    ],
    ids=lambda value: repr(value[:30]),
)
@pytest.mark.parametrize("path", ["/authorize", "/execute"])
async def test_what_is_no_strict_json(house: House, path: str, body: bytes, code: str) -> None:
    """The parser of the other door, by its own codes, with a record."""
    records = len(house.records())
    answer = await post(house, path, body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    record = house.records()[-1]
    assert len(house.records()) == records + 1
    assert (record["status"], record["error"], record["tool"]) == ("refused", code, path[1:])


async def test_a_body_that_never_ends(house: House) -> None:
    """Chunk by chunk: 413 at the first byte beyond the limit, and the connection is closed."""
    fields = {
        "Host": house.url.removeprefix("http://"),
        "Content-Type": "application/json",
        "Transfer-Encoding": "chunked",
    }
    chunk = b"%x\r\n%s\r\n" % (4096, b" " * 4096)
    pieces = [chunk] * (MAX_BODY_BYTES // 4096) + [b"1\r\nx\r\n"]
    reply = await one(house.url, head(fields, path="/execute"), *pieces)
    assert (reply.status, reply.document["code"]) == (413, "door.too_large")
    assert reply.headers["connection"] == "close"


@pytest.mark.parametrize("name", ["Host", "Authorization", "Content-Type", "X-Ephemeral-Token", "DPoP"])
async def test_a_header_that_comes_twice(house: House, name: str) -> None:
    """Which of the two another hop believed is a guess; also when both say the same."""
    calls = house.paypal_calls
    raw = json.dumps(good()).encode()
    fields = {
        "Host": house.url.removeprefix("http://"),
        "Content-Type": "application/json",
        "Authorization": f"Bearer {AGENT_TOKEN}",
        "X-Ephemeral-Token": "0" * 64,
        "Content-Length": str(len(raw)),
    }
    if name == "DPoP":
        del fields["Authorization"]
        fields["DPoP"] = "a.b.c"
    reply = await one(
        house.url, head(fields, path="/execute", more=f"{name.lower()}: {fields[name]}\r\n") + raw
    )
    assert reply.status == (401 if name in ("Authorization", "DPoP") else 400), reply
    assert house.paypal_calls == calls


async def test_the_paths_are_exact(house: House) -> None:
    """Neither below nor beside them is a handshake."""
    raw = json.dumps(good()).encode()
    fields = {"Host": house.url.removeprefix("http://"), "Content-Type": "application/json"}
    for path in ("/authorize/", "/execute/x", "/Authorize", "//execute", "/execute%2f"):
        assert (await one(house.url, request(raw, fields, path=path))).status == 404, path
