"""A hundred broken bundles made of one good one: damaged on the way, or signed by the right key and still wrong."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from gateway.bundle.archive import MANIFEST, SIGNATURES, packed
from gateway.bundle.building import Built, content_digest
from gateway.bundle.revision import revision_text
from gateway.bundle.signature import signed
from tests.support.bundles import Pair

ENTRYPOINTS = ("decision", "listing", "admin", "passage")
YES = '{"outcome": "allow", "reasons": [{"code": "a.b", "outcome": "allow", "message": "", "remedy": ""}]}'
_ALL_TOOLS = '{"tools": {entry.tool.name: {"visible": true, "outcome": "allow"} | some entry in input.tools}}'


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle that must not become the policy."""

    name: str
    archive: bytes


def mutants(built: Built, pair: Pair) -> Iterator[Mutant]:
    """A hundred of them; the same ones each time."""
    chance = random.Random(20261127)
    whole = signed(built.files, pair.private)
    archive = packed(whole)
    for number in range(20):
        yield Mutant(name=f"cut {number}", archive=archive[: chance.randrange(len(archive))])
    for number in range(25):
        yield Mutant(name=f"bit {number}", archive=_flipped(archive, chance))
    for number in range(15):
        name = chance.choice(sorted(whole))
        damaged = {**whole, name: _flipped(whole[name], chance)}
        yield Mutant(name=f"bit in {name} {number}", archive=packed(damaged))
    for number, changes in enumerate(_wrong(built)):
        files = {**built.files, **changes}
        yield Mutant(name=f"signed {number}", archive=packed(signed(_named(files, 2 + number), pair.private)))


def _wrong(built: Built) -> Iterator[dict[str, bytes]]:
    """Forty policies that somebody might sign by mistake, or was made to sign."""
    for entry in ENTRYPOINTS:
        name, package = f"gateway/{entry}/{entry}.rego", f"package gateway.{entry}\n\n"
        text = built.files[name].decode()
        yes = _ALL_TOOLS if entry == "listing" else YES
        for rego in (
            text + "\n}\n",  # does not parse
            text.replace(f"package gateway.{entry}", "package gateway."),
            text + "\nmore := nowhere(input)\n",  # does not compile
            text.replace("answer :=", "anser :="),  # no entrypoint
            text.replace(f"package gateway.{entry}", f"package gateway.{entry}s"),
            package + f"answer := {yes}\n",  # yes to everything
            package + f"default answer := {yes}\n",
            package + f"answer := {yes} if not input.nothing\n",
            package + 'answer := {"outcome": "deny"} if input.nothing.there\n',  # undefined
            package + 'answer := "allow"\n',  # no answer
        ):
            yield {name: rego.encode()}


def _named(files: dict[str, bytes], sequence: int) -> dict[str, bytes]:
    """With the manifest of a proper bundle."""
    digest = content_digest(files)
    manifest = {
        **msgspec.json.decode(files[MANIFEST]),
        "revision": revision_text("small", sequence, digest),
        "metadata": {"name": "small", "digest": digest, "sequence": sequence},
    }
    return {
        **{name: content for name, content in files.items() if name != SIGNATURES},
        MANIFEST: msgspec.json.encode(manifest),
    }


def _flipped(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ (1 << chance.randrange(8))]) + content[place + 1 :]
