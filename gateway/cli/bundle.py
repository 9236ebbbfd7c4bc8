"""``countersign bundle``: policies as signed bundles of OPA: build, sign, verify, look at."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from rich import box
from rich.markup import escape
from rich.table import Table

from gateway.bundle.archive import packed, unpacked
from gateway.bundle.building import Built, build
from gateway.bundle.keys import generate, read_private_key, read_public_key
from gateway.bundle.manifest import Summary, summary
from gateway.bundle.proving import prove
from gateway.bundle.revision import MAX_SEQUENCE, NAME
from gateway.bundle.signature import SignatureRefused, Signed, signed, verify
from gateway.cli.common import json_option, terminal
from gateway.errors import SettingsError
from gateway.outcome.view import visible
from gateway.places import overlays_folder, policies_folder
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import CAPABILITIES
from gateway.policy.revision import MAX_BYTES, ROOT
from gateway.workbench.bundle_folder import folder_of
from gateway.workbench.gates import unit_tests
from gateway.workbench.programs import Layout

PRIVATE_KEY = Path(".countersign") / "bundle.pem"
KEYS = Path("bundles") / "keys"
DIST = Path("bundles") / "dist"
_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
_SCOPE = click.option(
    "--scope",
    default="",
    help="What the bundle is for; verifiers must expect the very same. Default: nothing.",
)
_PRIVATE = click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    default=PRIVATE_KEY,
    show_default=True,
    help="Private key (PEM, P-256). The default one is made if it is not there.",
)


@click.group()
def bundle() -> None:
    """Policies as bundles for OPA: the same input makes the same bytes, and a signature says whose they are."""


@bundle.command("build")
@click.argument("profile")
@click.option(
    "--sequence",
    type=click.IntRange(0, MAX_SEQUENCE),
    help="Higher with every bundle, for gateways to tell an older one.",
)
@click.option("--name", help="Name of the bundle. Default: that of the profile or folder.")
@click.option(
    "--base",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The policy that an overlay is laid over. Default: policies/gateway here, else the one that ships.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="File to write. Default: bundles/dist/NAME.tar.gz."
)
@json_option
def build_command(
    profile: str,
    sequence: int | None,
    name: str | None,
    base: Path | None,
    output: Path | None,
    as_json: bool,  # noqa: FBT001 - click
) -> None:
    """Build PROFILE (an overlay of bundles/, or a folder) if it loads, says no where it must, and passes its tests."""
    base = base or (Path("policies") / ROOT if (Path("policies") / ROOT).is_dir() else policies_folder())
    source = _source(profile)
    name = name or (source.parent.name if source.name == ROOT and source.parent.name else source.name)
    if not NAME.fullmatch(name):
        raise click.UsageError("--name has 1 to 64 lower-case letters, digits, - and _")
    opa = shutil.which("opa")
    with tempfile.TemporaryDirectory(prefix="countersign-bundle-") as scratch:
        folder = folder_of(source, Path(scratch), base=base)
        rules = base if folder.is_relative_to(scratch) else folder
        built = build(folder, name=name, sequence=sequence)
        archive = packed(built.files)
        prove(archive, opa=opa, capabilities=rules.parent / CAPABILITIES)
        tested = _tested(rules, opa)
    path = output or DIST / f"{name}.tar.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(archive)
    _say_built(built, path, archive, tested=tested, sequence=sequence, as_json=as_json)


@bundle.command("sign")
@_FILE
@_PRIVATE
@click.option("--key-id", help="Name of the key, as OPA's configuration has it. Default: its thumbprint.")
@_SCOPE
@click.option("--output", type=click.Path(path_type=Path), help="File to write. Default: the same one.")
def sign_command(file: Path, key: Path, key_id: str | None, scope: str, output: Path | None) -> None:
    """Sign FILE (ES256), if the policy in it loads and says no where it must."""
    archive = _read(file)
    prove(archive, opa=shutil.which("opa"))
    _write(output or file, packed(signed(unpacked(archive), _signing_key(key), scope=scope, key_id=key_id)))
    click.echo(f"{output or file}: signed with {key}")


@bundle.command("verify")
@_FILE
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Public key (PEM); several: one of them. Default: bundles/keys/*.pub.pem, else the one of `sign`.",
)
@_SCOPE
@json_option
def verify_command(file: Path, keys: tuple[Path, ...], scope: str, as_json: bool) -> None:  # noqa: FBT001 - click
    """Whether FILE is whole, signed by one of the keys, and a policy that loads. Exit 1: it is not."""
    archive = _read(file)
    try:
        files = unpacked(archive)
        key, said = _verified(files, keys or _public_keys(), scope)
        manifest = prove(archive)
    except PolicyRefused as refused:
        if as_json:
            click.echo(msgspec.json.encode({"verified": False, "error": refused.message}).decode())
        else:
            click.echo(f"{file}: REFUSED: {visible(refused.message)}", err=True)
        raise click.exceptions.Exit(1) from None
    if as_json:
        found = {"verified": True, "revision": manifest.revision, "key": str(key), "scope": said.scope}
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(f"{file}: {visible(manifest.revision)} is signed with {key}, and the policy loads")


@bundle.command("inspect")
@_FILE
@json_option
def inspect_command(file: Path, as_json: bool) -> None:  # noqa: FBT001 - click
    """What is in FILE, and what its signature claims. Nothing is verified."""
    archive = _read(file)
    found = summary(archive, unpacked(archive))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    _say_summary(found)


def _source(profile: str) -> Path:
    """A folder by its path, or an overlay by its name; a path needs no guessing and goes first."""
    candidates = [Path(profile)]
    if NAME.fullmatch(profile):
        candidates = [Path("bundles") / profile, Path(profile)]
        shipped = overlays_folder()
        if shipped is not None:
            candidates.append(shipped / profile)
    for one in candidates:
        if one.is_dir():
            return one.resolve()
    raise click.UsageError(f"{visible(profile)}: there is no such overlay below bundles/, and no such folder")


def _tested(rules: Path, opa: str | None) -> int | None:
    """How many tests passed; None where there is no OPA. They are the rules' own, and know their own data."""
    if opa is None:
        return None
    if not any(rules.rglob("*_test.rego")):
        return 0
    done = unit_tests(Layout(folder=rules), opa)
    if done.failed:
        raise PolicyRefused(f"{len(done.failed)} tests fail: {', '.join(done.failed[:5])}")
    return done.passed


def _signing_key(path: Path) -> EllipticCurvePrivateKey:
    if path == PRIVATE_KEY and not path.exists():
        public = (KEYS if KEYS.parent.is_dir() else path.parent) / "bundle.pub.pem"
        generate(path, public)
        click.echo(f"made the key {path}, which nobody else may read; verifiers need {public}", err=True)
    try:
        return read_private_key(path.read_bytes())
    except ValueError as problem:
        raise SettingsError(f"{path}: {problem}.") from None


def _public_keys() -> tuple[Path, ...]:
    found = tuple(sorted(KEYS.glob("*.pub.pem"))) or tuple(sorted(PRIVATE_KEY.parent.glob("bundle.pub.pem")))
    if not found:
        raise click.UsageError("name the public key with --key: there is none in bundles/keys")
    return found


def _verified(files: dict[str, bytes], keys: tuple[Path, ...], scope: str) -> tuple[Path, Signed]:
    refused: SignatureRefused | None = None
    for path in keys:
        try:
            return path, verify(files, _public_key(path), scope=scope)
        except SignatureRefused as problem:
            refused = problem
    assert refused is not None  # there was at least one key
    raise refused


def _public_key(path: Path) -> EllipticCurvePublicKey:
    try:
        return read_public_key(path.read_bytes())
    except ValueError as problem:
        raise SettingsError(f"{path}: {problem}.") from None


def _read(file: Path) -> bytes:
    if file.stat().st_size > MAX_BYTES:
        raise PolicyRefused(f"{file.name}: is larger than {MAX_BYTES} bytes")
    return file.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all: a server may hand the file out at this moment."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def _say_built(
    built: Built, path: Path, archive: bytes, *, tested: int | None, sequence: int | None, as_json: bool
) -> None:
    if sequence is None:
        click.echo("without --sequence: no gateway can tell this bundle from an older one", err=True)
    if tested is None:
        click.echo("there is no `opa` here: the tests of the rules were not run", err=True)
    if as_json:
        found = {"file": str(path), "revision": built.revision, "size": len(archive), "tests": tested}
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(
            f"{path}: {built.revision}, {len(built.files)} files, {len(archive)} bytes, not signed yet"
        )


def _say_summary(found: Summary) -> None:
    claim = "not signed"
    if found.signature is not None:
        claim = f"claims the key {found.signature.key_id}, scope {found.signature.scope or '(none)'} (not verified)"
    for title, text in (
        ("revision", found.revision),
        ("sequence", "none" if found.sequence is None else str(found.sequence)),
        ("roots", ", ".join(found.roots)),
        ("signature", claim),
        ("sha256", found.sha256),
        ("size", f"{found.size} bytes, {len(found.files)} files"),
    ):
        click.echo(f"{title:10} {visible(text)}")
    table = Table("file", "bytes", box=box.SIMPLE_HEAD)
    for name, size in found.files.items():
        table.add_row(escape(visible(name)), str(size))
    terminal().print(table)
