"""Where a request comes from: the socket, or what a named proxy says; never what anybody else says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rate.address import MAX_CHARS, MAX_HOPS, Addresses, network_of

BEHIND = Addresses(header="X-Forwarded-For", proxies=("10.0.0.0/8", "fd00::/8"))


def scope(peer: str | None, *values: str, name: bytes = b"x-forwarded-for") -> dict[str, object]:
    """A request with that header, once for each value."""
    client = None if peer is None else (peer, 4711)
    return {"type": "http", "client": client, "headers": [(name, one.encode("latin-1")) for one in values]}


@pytest.mark.parametrize(
    ("peer", "values", "address"),
    [
        ("10.0.0.1", ("192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.1, 192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.1", "192.0.2.7"), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.7, 10.0.0.2",), "192.0.2.7"),
        ("10.0.0.1", ("192.0.2.7:443",), "192.0.2.7"),
        ("10.0.0.1", ('"[2001:db8:1:2:3::4]:443"',), "2001:db8:1:2::/64"),
        ("fd00::1", ("192.0.2.7",), "192.0.2.7"),
        ("::ffff:10.0.0.1", ("192.0.2.7",), "192.0.2.7"),
        (None, ("192.0.2.7",), "192.0.2.7"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.2",), "10.0.0.1"),
        ("10.0.0.1", ("unknown",), "unreadable"),
        ("192.0.2.9", ("192.0.2.7",), "192.0.2.9"),
        ("::ffff:192.0.2.9", ("192.0.2.7",), "192.0.2.9"),
        (None, (), ""),
    ],
)
def test_who_it_is(peer: str | None, values: tuple[str, ...], address: str) -> None:
    """The last one that is no proxy of ours, and only where a proxy of ours says so."""
    assert BEHIND.of(scope(peer, *values)) == address


def test_without_a_setting_no_header_counts() -> None:
    """Nor another header than the named one."""
    assert Addresses().of(scope("127.0.0.1", "192.0.2.7")) == "127.0.0.1"
    assert BEHIND.of(scope("10.0.0.1", "192.0.2.7", name=b"forwarded")) == "10.0.0.1"


def test_half_a_setting_is_none() -> None:
    """It would believe anybody, or nobody."""
    for header, proxies in (("x-real-ip", ()), (None, ("10.0.0.1",)), ("x-real-ip", ("not a network",))):
        with pytest.raises(ValueError, match=r"proxies|network"):
            Addresses(header=header, proxies=proxies)


def test_a_network_is_one_stranger() -> None:
    """Whoever has one IPv6 address has 2**64."""
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:2") != network_of("2001:db8:0:1::1")
    assert network_of("fe80::1%eth0") == "fe80::/64"


@given(st.lists(st.text(alphabet=st.characters(max_codepoint=255), max_size=200), max_size=MAX_HOPS + 5))
def test_no_header_breaks_it(values: list[str]) -> None:
    """And none makes a long name."""
    assert len(BEHIND.of(scope("10.0.0.1", *values))) <= MAX_CHARS
