"""What may be a candidate, and what is refused."""

import tarfile
from pathlib import Path

import pytest

from gateway.places import policies_folder
from gateway.policy.embedded import Embedded
from gateway.policy.engine import PolicyRefused
from gateway.policy.loading import load_policy
from gateway.policy.opa import OpaSidecar
from gateway.settings.shadow import ShadowSettings
from gateway.shadow.candidate import candidate_of
from tests.support.policies import SMALL, write_policy
from tests.support.policy_cases import BUNDLES
from tests.support.policy_copies import copied

BASE = policies_folder()


async def test_a_folder_a_bundle_an_overlay_and_another_opa(tmp_path: Path) -> None:
    """Each by its own revision; what an OPA has is not known before it answers."""
    folder = copied(tmp_path)
    bundle = tmp_path / "bundle.tar.gz"
    with tarfile.open(bundle, "w:gz") as archive:
        archive.add(folder, "gateway")
    revisions = []
    for path in (folder, folder.parent, bundle, BUNDLES / "lockdown"):
        found = await candidate_of(ShadowSettings(path=str(path)), BASE)
        assert found is not None
        engine, revision = found
        assert isinstance(engine, Embedded)
        await engine.aclose()
        revisions.append(revision)
    assert revisions[:3] == [load_policy(folder).revision] * 3
    assert revisions[3] != revisions[0]
    found = await candidate_of(ShadowSettings(opa_url="http://127.0.0.1:9"), BASE)
    assert found is not None
    assert isinstance(found[0], OpaSidecar)
    assert await candidate_of(ShadowSettings(), BASE) is None


async def test_what_is_no_policy_is_refused_by_name(tmp_path: Path) -> None:
    """Nothing there, a text, a damaged bundle, a rule that does not compile, a yes to everything."""
    text = tmp_path / "text"
    text.write_text("hello")
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as archive:
        archive.add(copied(tmp_path), "gateway")
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:2_000])
    broken = write_policy(
        tmp_path / "broken", {"gateway/decision/decision.rego": "package gateway.decision\n{"}
    )
    laxest = write_policy(
        tmp_path / "laxest",
        {"gateway/decision/decision.rego": 'package gateway.decision\n\nanswer := {"outcome": "allow"}\n'},
    )
    for path in (tmp_path / "missing", text, cut, broken, laxest):
        with pytest.raises(PolicyRefused):
            await candidate_of(ShadowSettings(path=str(path)), BASE)
    with pytest.raises(PolicyRefused, match=r"shadow\.opa_url"):
        await candidate_of(ShadowSettings(opa_url="ftp://nowhere"), BASE)


async def test_a_bundle_is_held_to_the_live_policys_built_ins(tmp_path: Path) -> None:
    """A folder has the list of built-ins beside it; a bundle could leave it out."""
    rego = (
        SMALL["gateway/decision/decision.rego"] + '\nmessage := "odd" if opa.runtime().env.SECRET == "odd"\n'
    )
    folder = write_policy(tmp_path / "small", {"gateway/decision/decision.rego": rego})
    assert load_policy(folder).revision
    bundle = tmp_path / "bundle.tar.gz"
    with tarfile.open(bundle, "w:gz") as archive:
        archive.add(folder, "gateway")
    with pytest.raises(PolicyRefused, match=r"opa\.runtime"):
        await candidate_of(ShadowSettings(path=str(bundle)), BASE)
