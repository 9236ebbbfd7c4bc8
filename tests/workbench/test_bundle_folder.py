"""A candidate comes as a folder, as an overlay, or as a bundle; a hostile bundle stays in its place."""

import gzip
import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from gateway.policy.engine import PolicyRefused
from gateway.workbench.bundle_folder import folder_of
from gateway.workbench.pack import read_pack
from tests.support.policy_cases import BUNDLES


def scratch(tmp_path: Path) -> Path:
    """An empty folder."""
    made = tmp_path / "scratch"
    made.mkdir()
    return made


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """A tar archive of these."""
    with tarfile.open(path, "w:gz") as bundle:
        for member, data in members:
            member.size = len(data) if member.isfile() else 0
            bundle.addfile(member, io.BytesIO(data))
    return path


def test_a_folder_is_itself_and_its_parent_is_found(folder: Path, tmp_path: Path) -> None:
    """Either is what somebody would name."""
    assert folder_of(folder, tmp_path, base=folder) == folder
    assert folder_of(folder.parent, tmp_path, base=folder) == folder


def test_an_overlay_is_laid_over_the_policy(folder: Path, tmp_path: Path) -> None:
    """Its data wins, the rules are the policy's; neither is changed."""
    whole = folder_of(BUNDLES / "production", scratch(tmp_path), base=folder)
    assert read_pack(whole).source.modules == read_pack(folder).source.modules
    assert read_pack(whole).data["limits"] != read_pack(folder).data["limits"]


def test_a_bundle_that_opa_built_says_the_same(folder: Path, tmp_path: Path, opa_binary: Path) -> None:
    """All of its data is in one file at the top."""
    bundle = tmp_path / "bundle.tar.gz"
    command = [str(opa_binary), "build", "--bundle", str(tmp_path / "b"), "--output", str(bundle)]
    (tmp_path / "b").mkdir()
    folder.rename(tmp_path / "b" / "gateway")
    for path in (tmp_path / "b").rglob("*_test.rego"):
        path.unlink()
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    whole = folder_of(bundle, scratch(tmp_path), base=folder)
    assert read_pack(whole).data == read_pack(tmp_path / "b" / "gateway").data


@pytest.mark.parametrize("name", ["../outside.rego", "/gateway/../../outside.rego"])
def test_a_bundle_cannot_write_beside_its_folder(folder: Path, tmp_path: Path, name: str) -> None:
    """Attack: a member whose name leads out."""
    bundle = archive(tmp_path / "x.tar.gz", (tarfile.TarInfo(name), b"package x"))
    with pytest.raises(PolicyRefused):
        folder_of(bundle, scratch(tmp_path), base=folder)
    assert not list(tmp_path.rglob("outside.rego"))


def test_a_link_in_a_bundle_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Attack: data.yaml that is a link to a file of the machine."""
    link = tarfile.TarInfo("gateway/limits/data.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    bundle = archive(
        tmp_path / "x.tar.gz", (link, b""), (tarfile.TarInfo("gateway/x.rego"), b"package gateway.x")
    )
    with pytest.raises(PolicyRefused, match="only plain files"):
        folder_of(bundle, scratch(tmp_path), base=folder)


def head(name: str, kind: bytes, size: int) -> bytes:
    """Of one member, whatever follows it."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    "plain",
    [
        head("a", b"Z", -512) + bytes(1024),
        head("a", tarfile.XHDTYPE, 2**30) + bytes(2**26),
        (head("a", tarfile.XHDTYPE, 13) + b"13 comment=x\n".ljust(512, b"\0")) * 3000 + bytes(1024),
    ],
    ids=["a member that leads back to itself", "a head of a gigabyte", "heads about heads"],
)
def test_a_bundle_that_cannot_be_read_to_its_end_is_refused(
    folder: Path, tmp_path: Path, plain: bytes
) -> None:
    """Attack: a candidate that keeps a gateway from starting, instead of being one that is refused."""
    bundle = tmp_path / "x.tar.gz"
    bundle.write_bytes(gzip.compress(plain))
    with pytest.raises(PolicyRefused, match="no bundle"):
        folder_of(bundle, scratch(tmp_path), base=folder)


def test_what_is_no_policy_is_refused(folder: Path, tmp_path: Path) -> None:
    """A file that is no archive, an archive without a policy."""
    (tmp_path / "text").write_text("no")
    with pytest.raises(PolicyRefused, match="no bundle"):
        folder_of(tmp_path / "text", scratch(tmp_path), base=folder)
    bundle = archive(tmp_path / "x.tar.gz", (tarfile.TarInfo("readme"), b"x"))
    with pytest.raises(PolicyRefused, match="holds no gateway"):
        folder_of(bundle, tmp_path / "scratch", base=folder)
