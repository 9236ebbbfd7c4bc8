"""docker-compose.yml and the Dockerfile: what they promise, and their commands, run as processes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from gateway.errors import SettingsError
from gateway.settings import load_settings
from tests.support import compose as composition
from tests.support import parts
from tests.support.compose import REPOSITORY, Place

COMPOSE = composition.load({})
DEMO = composition.load(composition.demo_variables())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EACH = pytest.mark.parametrize("name", sorted(SERVICES))
DOCKERFILE = (REPOSITORY / "Dockerfile").read_text()
VERSION = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]


@EACH
def test_images_are_pinned(name: str) -> None:
    """No image is a moving target: each has a full version."""
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*", SERVICES[name]["image"])


def test_images_are_what_is_tested() -> None:
    """The containers run the versions that the tests pin, and the gateway's image carries its version."""
    assert SERVICES["opa"]["image"] == parts.OPA.image
    assert SERVICES["redis"]["image"] == parts.REDIS.image
    assert parts.OPA.version in parts.OPA.image
    assert parts.REDIS.version in parts.REDIS.image
    assert SERVICES["gateway"]["image"] == SERVICES["simulator"]["image"] == f"countersign:{VERSION}"


@EACH
def test_containers_have_no_rights(name: str) -> None:
    """A service that is taken over has no root, no capability, no writable system and no host to reach."""
    service = SERVICES[name]
    uid = int(service["user"].split(":")[0])
    assert uid > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    forbidden = {"privileged", "network_mode", "pid", "ipc", "userns_mode", "cap_add", "devices"}
    assert forbidden.isdisjoint(service)


@EACH
def test_services_come_back(name: str) -> None:
    """A service that dies is started again, and one that was stopped stays stopped."""
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_another_port_is_another_address() -> None:
    """Who moves the port has moved the URL: under the old one the console's links lead nowhere, and every Host but it
    is turned away."""
    moved = composition.load({"COUNTERSIGN_PORT": "8080"})["services"]["gateway"]
    assert moved["ports"] == ["127.0.0.1:8080:3000"]
    assert moved["environment"]["COUNTERSIGN_PUBLIC_URL"] == "http://localhost:8080"
    named = {"COUNTERSIGN_PORT": "8080", "COUNTERSIGN_PUBLIC_URL": "https://gate.example"}
    environment = composition.load(named)["services"]["gateway"]["environment"]
    assert environment["COUNTERSIGN_PUBLIC_URL"] == "https://gate.example"


def test_only_the_gateway_is_published_and_only_here() -> None:
    """OPA and Redis have no port on the host; the gateway's is on the loopback interface."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"gateway": ["127.0.0.1:3000:3000"]}


@EACH
def test_volumes_exist(name: str) -> None:
    """Named volumes are declared; files and folders of the checkout are there and cannot be written."""
    for volume in DEMO["services"][name].get("volumes", []):
        source, _, read_only = composition.mount_of(volume)
        if source.startswith("."):
            assert (REPOSITORY / source).exists(), volume
            assert read_only
        else:
            assert source in DEMO["volumes"]
            assert "/" not in source, "a path of the host"


def test_opa_and_redis_are_reached_by_the_gateway_alone() -> None:
    """What has no login is on a network that leads nowhere and that only the gateway shares."""
    for name in ("opa", "redis"):
        (network,) = SERVICES[name]["networks"]
        assert COMPOSE["networks"][network] == {"internal": True}
        sharing = {other for other, service in SERVICES.items() if network in service["networks"]}
        assert sharing == {name, "gateway"}


def test_no_secret_is_in_the_file() -> None:
    """Nothing named like a secret has a value unless the environment gives it."""
    for service in SERVICES.values():
        assert [key for key in service["environment"] if re.search(r"SECRET|TOKEN|PASSWORD|KEY", key)] == []


def test_every_variable_is_documented() -> None:
    """Each variable that the file reads is in the operator's page, and .env.demo sets no others."""
    text = (REPOSITORY / "docker-compose.yml").read_text()
    page = (REPOSITORY / "docs/operations/compose.md").read_text()
    read = set(re.findall(r"\$\{(\w+)|^ +([A-Z]\w+):$", text, re.MULTILINE))
    read = {one or other for one, other in read}
    assert {name for name in read if f"`{name}`" not in page} == set()
    assert set(composition.demo_variables()) - {"COMPOSE_PROFILES"} <= read


def test_the_image_is_pinned_and_without_root() -> None:
    """The image is built from one pinned base and the hashed lock, and starts as a numbered user."""
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == [SERVICES["gateway"]["user"]]
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE) == ["3000"]
    assert "requirements/test" not in DOCKERFILE
    for line in DOCKERFILE.splitlines():
        assert " -r " not in line or "--require-hashes" in line


def test_the_image_gets_only_what_it_is_built_from() -> None:
    """The build context begins with nothing, and what the Dockerfile copies is let in."""
    ignore = (REPOSITORY / ".dockerignore").read_text().splitlines()
    assert next(line for line in ignore if not line.startswith("#")) == "*"
    admitted = {line[1:] for line in ignore if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert admitted == {source.split("/")[0] for line in copied for source in line.split()}


def test_addresses_and_paths_become_local(tmp_path: Path) -> None:
    """The gateway's variables point at the local ports of the other services and into our directory."""
    here = Place(root=tmp_path, programs={"countersign": "/usr/bin/env"})
    command = composition.local_command(DEMO, "gateway", here)
    assert command.argv == ("/usr/bin/env", "serve")
    assert command.env["COUNTERSIGN_POLICY_OPA_URL"] == f"http://127.0.0.1:{here.ports['opa']}"
    assert command.env["COUNTERSIGN_STATE_URL"] == f"redis://127.0.0.1:{here.ports['redis']}/0"
    assert command.env["COUNTERSIGN_PAYPAL_BASE_URL"] == f"http://127.0.0.1:{here.ports['simulator']}"
    assert command.env["COUNTERSIGN_LISTEN"] == f"127.0.0.1:{here.ports['gateway']}"
    assert command.env["COUNTERSIGN_AUDIT_PATH"] == str(tmp_path / "gateway/data/audit/audit.jsonl")
    assert f"127.0.0.1:{here.ports['gateway']}/" in " ".join(command.health)
    assert command.cwd == tmp_path / "gateway/data"


def test_the_gateway_accepts_its_variables(tmp_path: Path) -> None:
    """The settings that the demo composition gives are read by the gateway without a complaint."""
    here = Place(root=tmp_path, programs={})
    env = composition.local_command(DEMO, "gateway", here).env
    settings = load_settings(Path(env["COUNTERSIGN_CONFIG"]), env)
    assert settings.policy.engine == "opa"
    assert settings.policy.opa_url == f"http://127.0.0.1:{here.ports['opa']}"
    assert settings.state.url == f"redis://127.0.0.1:{here.ports['redis']}/0"
    assert settings.paypal.client_id == "simulator-client"
    assert [token.roles for token in settings.identity.tokens] == [("agent",)]


def test_without_a_config_nobody_may_ask(tmp_path: Path) -> None:
    """The composition without an operator's file has no caller that the gateway would know, so it does not start."""
    env = composition.local_command(DEMO, "gateway", Place(root=tmp_path, programs={})).env
    with pytest.raises(SettingsError, match="identity"):
        load_settings(None, env)


def test_opa_serves_the_policies_by_its_compose_command(tmp_path: Path, opa_binary: Path) -> None:
    """OPA, started as the file says, is healthy, answers by the policies, and lets nobody replace them."""
    here = Place(root=tmp_path, programs={"/opa": str(opa_binary)})
    with composition.running(COMPOSE, ["opa"], here) as ports:
        url = f"http://127.0.0.1:{ports['opa']}/v1"
        nonsense = httpx.post(f"{url}/data/gateway/decision/answer", json={"input": {}}).json()
        assert nonsense["result"]["outcome"] == "deny"
        takeover = 'package gateway.decision\n\nanswer := {"outcome": "allow"}'
        assert httpx.put(f"{url}/policies/takeover", content=takeover).status_code == 400


def test_redis_keeps_what_it_was_told_by_its_compose_command(tmp_path: Path) -> None:
    """What Redis acknowledged is there after a restart, with a real Redis."""
    server = parts.require(parts.REDIS)
    here = Place(root=tmp_path, programs={"redis-server": str(server)})
    url = f"redis://127.0.0.1:{here.ports['redis']}/0"
    with composition.running(COMPOSE, ["redis"], here), redis.from_url(url) as client:
        client.set("approval", "given")
    with composition.running(COMPOSE, ["redis"], here), redis.from_url(url) as client:
        assert client.get("approval") == b"given"
