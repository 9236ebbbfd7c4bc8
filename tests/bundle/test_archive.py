"""The same files are the same bytes; what no honest builder makes is refused."""

import gzip
import io
import tarfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.bundle.archive import MANIFEST, packed, unpacked
from gateway.policy.engine import PolicyRefused
from gateway.policy.revision import MAX_BYTES

FILES = {"gateway/a.rego": b"package gateway.a", MANIFEST: b"{}", "data.json": b"{}"}


def archive(*members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar.gz of these, in this order."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "target"
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def heads(*members: tuple[str, int, bytes]) -> bytes:
    """A gzip of such heads (name, size, kind) with nothing behind them but 512 zeros where a size is positive."""
    made = b""
    for name, size, kind in members:
        member = tarfile.TarInfo(name)
        member.size, member.type = size, kind
        made += member.tobuf(tarfile.GNU_FORMAT) + b"\0" * (512 if size > 0 else 0)
    return gzip.compress(made + b"\0" * 1024)


def leading_back() -> bytes:
    """Two kilobytes of heads that lead back and forth, so that the bytes between them are read again and again."""
    rounds, size = 64, 1024 * 1024
    between = b"".join(_head(f"again{n}", size) for n in range(1, rounds)).ljust(size, b"\0")
    at = 512 + size
    back = (_head(f"back{n}", 512 * (n + 1) - (at + 512 * n + 512)) for n in range(rounds - 1))
    return gzip.compress(_head("first", size) + between + b"".join(back) + b"\0" * 1024)


def _head(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def test_order_and_time_do_not_show() -> None:
    """Neither the order of the files nor the moment; and nothing of the machine."""
    assert packed(FILES) == packed(dict(reversed(FILES.items())))
    assert packed(FILES)[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # no name, no time
    with tarfile.open(fileobj=io.BytesIO(packed(FILES))) as tar:
        members = tar.getmembers()
    assert [one.name for one in members] == [MANIFEST, "data.json", "gateway/a.rego"]
    assert {(one.mtime, one.uid, one.gid, one.uname, one.gname, one.mode) for one in members} == {
        (0, 0, 0, "", "", 0o644)
    }


def test_what_was_packed_comes_out() -> None:
    """All of it."""
    assert unpacked(packed(FILES)) == FILES


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (archive(("a", b"1"), ("a", b"2")), "twice"),
        (archive(("a", b"1"), ("/a", b"2")), "twice"),
        (archive(("../a", b"1")), "no name"),
        (archive(("a/../../b", b"1")), "no name"),
        (archive(("a\\b", b"1")), "no name"),
        (archive(("a", b""), kind=tarfile.SYMTYPE), "only plain files"),
        (archive(("a", b""), kind=tarfile.LNKTYPE), "only plain files"),
        (archive(("a", b""), kind=tarfile.FIFOTYPE), "only plain files"),
        (archive(*((f"f{number}", b"") for number in range(1001))), "larger than"),
        (archive(("a", b"0" * (MAX_BYTES + 1))), "larger than"),
        (gzip.compress(b"0" * (2 * MAX_BYTES + 1)), "larger than"),
        (b"", "no tar.gz"),
        (b"PK\x03\x04", "no tar.gz"),
        (gzip.compress(b"no tar"), "no tar.gz"),
        (heads(("a", -512, tarfile.REGTYPE)), "a size"),
        (heads(("a", MAX_BYTES, tarfile.GNUTYPE_SPARSE)), "a size"),
        (leading_back(), "a size"),
        (heads(*(("a", 13, tarfile.XHDTYPE) for _ in range(3000)), ("b", 0, tarfile.REGTYPE)), "no tar.gz"),
    ],
    ids=[
        *(
            "twice",
            "twice from the root",
            "above",
            "above within",
            "backslash",
            "symlink",
            "hard link",
            "pipe",
        ),
        *("many files", "large file", "large stream", "empty", "zip", "no tar"),
        *("a negative size", "holes", "leading back", "heads about heads"),
    ],
)
def test_a_hostile_archive_is_refused(made: bytes, said: str) -> None:
    """With the reason, and without a file written anywhere."""
    with pytest.raises(PolicyRefused, match=said):
        unpacked(made)


@given(st.binary(max_size=200), st.integers(0, 400))
@example(b"", 20)
def test_no_bytes_break_the_reader(noise: bytes, cut: int) -> None:
    """Cut off and continued with noise: refused, or the very same files."""
    whole = packed(FILES)
    try:
        found = unpacked(whole[: min(cut, len(whole))] + noise)
    except PolicyRefused:
        return
    assert found == FILES
