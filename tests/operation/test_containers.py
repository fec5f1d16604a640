"""What `deploy/docker` hands out fits the service: commands, settings, ports, and every package in the image."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from agent_ui.page import DIST
from hotline.__main__ import parser
from hotline.config import load
from hotline.roles import Role
from tests.operation.deployed import DEPLOY, ours

COMPOSE = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text(encoding="utf-8"))
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


def filled(environment: dict[str, str]) -> dict[str, str]:
    """Put in what compose would: the default, or a word."""
    return {name: re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda found: found[1] or "", str(value))
            for name, value in environment.items()}


@pytest.mark.parametrize("name", OURS)
def test_a_container_starts_what_exists_with_settings_that_exist(name: str) -> None:
    service = COMPOSE["services"][name]
    given = parser().parse_args(service["command"])
    environment = ours(filled(service["environment"]))
    load({name: value for name, value in environment.items() if value} | {"HOTLINE_CONFIG": "hotline.toml"})
    assert service["cap_drop"] == ["ALL"]
    assert service["volumes"] == ["data:/var/lib/hotline"]
    ports = {int(one.rpartition(":")[2]) for one in service.get("ports", [])}
    settings = load({"HOTLINE_CONFIG": "hotline.toml"})
    role = getattr(given, "role", "")
    expected = {"intake": {settings.http_port}, "gateway": {settings.ws_port}}.get(role, set())
    expected |= {int(environment["HOTLINE_METRICS_PORT"])} if "HOTLINE_METRICS_PORT" in environment else set()
    assert ports == expected
    assert all(one.startswith("127.0.0.1:") for one in service.get("ports", []))


def published(role: str, inside: int) -> set[int]:
    """Return where the containers of a role publish one of their ports."""
    ports = [one.split(":") for service in COMPOSE["services"].values() if service["command"][1:] == ["--role", role]
             for one in service["ports"]]
    return {int(host) for _, host, container in ports if int(container) == inside}


def test_nginx_finds_the_containers_and_prometheus_too() -> None:
    settings = load({"HOTLINE_CONFIG": "hotline.toml"})
    upstreams = re.findall(r"upstream hotline_(\w+) \{([^}]*)\}", (DEPLOY / "nginx/hotline.conf").read_text())
    passed = {role: {int(port) for port in re.findall(r"127\.0\.0\.1:(\d+)", body)} for role, body in upstreams}
    assert passed == {
        "intake": published("intake", settings.http_port), "gateway": published("gateway", settings.ws_port),
    }
    asked = set(map(int, re.findall(r"127\.0\.0\.1:(\d+)", (DEPLOY / "prometheus/prometheus.yml").read_text())))
    assert asked <= {int(one.split(":")[1]) for service in COMPOSE["services"].values()
                     for one in service.get("ports", [])}


def test_consoles_are_told_where_nginx_listens_for_them() -> None:
    offered = dict(re.findall(r"^(\w+)=(.*)$", (DEPLOY / "docker/example.env").read_text(), re.MULTILINE))
    [listens] = re.findall(r"listen (\d{4}) ssl", (DEPLOY / "nginx/hotline.conf").read_text())
    told = urlsplit(offered["HOTLINE_WS_URL"])
    assert (told.scheme, str(told.port)) == ("wss", listens)
    assert told.hostname == urlsplit(offered["HOTLINE_PUBLIC_URL"]).hostname
    for name in ("intake", "intake2"):
        environment = COMPOSE["services"][name]["environment"]
        assert environment["HOTLINE_WS_URL"] == "${HOTLINE_WS_URL:-}"
        assert int(environment["HOTLINE_WS_PORT"]) in published("gateway", 8081), "without nginx, on the machine itself"


def test_the_containers_are_complete() -> None:
    services = COMPOSE["services"]
    started = [service["command"] for service in services.values() if "profiles" not in service]
    assert {command[2] for command in started if command[0] == "serve"} == {role.value for role in Role}, "unasked"
    assert services["postgres"]["image"] == "pgvector/pgvector:pg16"
    text = (DEPLOY / "docker/compose.yaml").read_text()
    named = set(re.findall(r"\$\{(\w+)", text))
    offered = set(re.findall(r"^(\w+)=", (DEPLOY / "docker/example.env").read_text(), re.MULTILINE))
    assert named == offered
    waits = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    assert waits["migrate"] == {"postgres"}
    assert all(waits[name] == {"migrate"} for name in OURS if name != "migrate")


def test_the_image_has_every_package_and_no_secret() -> None:
    text = (DEPLOY / "docker/Dockerfile").read_text()
    copied = [name for names in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for name in names.split()]
    assert {"hotline", "channels", "routing", "triage", "agent_ui", "cities", "models"} <= set(copied)
    assert [name for name in copied if not Path(name).exists()] == []
    allowed = re.findall(r"^!(\S+)$", (DEPLOY / "docker/Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert set(allowed) <= set(copied)
    assert [name for name in copied if not any(name == one or name.startswith(f"{one}/") for one in allowed)] == []
    settings = load({"HOTLINE_CONFIG": "hotline.toml"})
    exposed_ports = re.search(r"^EXPOSE (.+)$", text, re.MULTILINE)
    assert exposed_ports is not None
    assert exposed_ports[1].split() == [str(settings.http_port), str(settings.ws_port)]
    assert "USER hotline" in text
    found = dict(re.findall(r"(HOTLINE_\w+)=(\S+)", text))
    load(found | {"HOTLINE_CONFIG": "hotline.toml"})


def test_the_image_builds_the_pages_that_it_serves() -> None:
    stages = re.split(r"^FROM ", (DEPLOY / "docker/Dockerfile").read_text(), flags=re.MULTILINE)[1:]
    [pages] = [stage for stage in stages if re.match(r"node:\S+ AS pages\n", stage)]
    assert "npm ci" in pages
    assert "npm run --silent build" in pages
    home = re.search(r"^WORKDIR (\S+)$", "".join(stages), re.MULTILINE)
    assert home is not None
    dist = DIST.relative_to(Path.cwd())
    assert f"COPY --from=pages {home[1]}/{dist} {dist}\n" in stages[-1]
    refused = (DEPLOY / "docker/Dockerfile.dockerignore").read_text().splitlines()
    assert {str(dist), "agent_ui/web/node_modules"} <= set(refused), "what was built elsewhere stays there"
