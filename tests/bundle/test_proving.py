"""A bundle is proved by both engines before anybody is given it."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.bundle.archive import MANIFEST, packed
from gateway.bundle.building import build
from gateway.bundle.proving import prove
from gateway.places import policies_folder
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import CAPABILITIES
from tests.support.bundles import small_bundle

ALLOWS = """package gateway.decision

answer := {"outcome": "allow", "reasons": [{"code": "a.b", "outcome": "allow", "message": "", "remedy": ""}]}
"""


def test_the_policies_that_ship_pass(opa_binary: Path) -> None:
    """On both engines, with the capabilities file."""
    built = build(policies_folder(), name="default", sequence=1)
    manifest = prove(
        packed(built.files), opa=str(opa_binary), capabilities=policies_folder().parent / CAPABILITIES
    )
    assert manifest.revision == built.revision


@pytest.mark.parametrize(
    "rego",
    [
        ALLOWS,
        "package gateway.decision\n\nanswer := {",
        "package gateway.decision\n\nanser := 1\n",
        'package gateway.decision\n\nanswer := {"outcome": "deny"} if input.call.server\n',
        "package gateway.decision\n\nanswer := nowhere(input)\n",
    ],
)
def test_a_policy_that_does_not_say_no_is_refused(tmp_path: Path, opa_binary: Path, rego: str) -> None:
    """Always yes, broken, misspelt, undefined, a function that is not there; OPA alone would find it, too."""
    built = small_bundle(tmp_path, changes={"gateway/decision/decision.rego": rego})
    with pytest.raises(PolicyRefused):
        prove(packed(built.files))
    with pytest.raises(PolicyRefused):
        prove(packed(built.files), opa=str(opa_binary))


def test_opa_has_a_say_of_its_own(tmp_path: Path, opa_binary: Path) -> None:
    """What rego-cpp takes and OPA does not: a policy is for both."""
    rego = "package gateway.more\n\nn := true if {\n\tx := 1\n\tx := 2\n}\n"
    built = small_bundle(tmp_path, changes={"gateway/more/more.rego": rego})
    with pytest.raises(PolicyRefused):
        prove(packed(built.files), opa=str(opa_binary))


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"other/a.rego": b"package other\n"}, "outside the root"),
        ({"data.json": b'{"gateway":{},"system":{}}'}, "outside the root"),
        ({"gateway/data.json": b"{}"}, "two places"),
        ({"gateway/decision/decision.rego/x.rego": b"package gateway.x\n"}, "laid out"),
    ],
)
def test_what_lies_outside_is_refused(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    """A bundle of the policy holds the policy."""
    built = small_bundle(tmp_path)
    manifest = built.files[MANIFEST].replace(b'"digest"', b'"no_digest"')
    with pytest.raises(PolicyRefused, match=said):
        prove(packed({**built.files, **files, MANIFEST: manifest}))
