"""What `deploy/` hands to an operator fits the service: settings, ports, metrics, commands and pages exist."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

import agent_ui.figures
import hotline.figures
import hotline.operation
import hotline.web
from channels.kit import MAX_WITH_FILES
from hotline.__main__ import parser
from hotline.config import PREFIX, load
from hotline.roles import Role
from hotline.store.hosts import hosts_of

DEPLOY = Path("deploy")
UNITS = sorted((DEPLOY / "systemd").glob("hotline*.service"))
SERVING = [unit for unit in UNITS if "serve --role" in unit.read_text()]
OPERATIONS = Path("docs/operations.md").read_text(encoding="utf-8")
RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/hotline.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
PROMETHEUS_OWN = {"up", "instance", "job", "role", "le"}
COMPOSE = yaml.safe_load((DEPLOY / "docker/compose.yaml").read_text(encoding="utf-8"))
OURS = [name for name, service in COMPOSE["services"].items() if "build" in service]


# ── figures ──────────────────────────────────────────────────────────────────────────────────────
def exposed() -> dict[str, set[str]]:
    """Return every metric's sample names, and the labels that it can have."""
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest().decode()):
        names = {sample.name for sample in family.samples} | {family.name, f"{family.name}_total"}
        names |= {f"{family.name}_bucket"} if family.type == "histogram" else set()
        for name in names:
            labels.setdefault(name, set())
    for module in (hotline.figures, hotline.operation, hotline.web, agent_ui.figures):
        for metric in vars(module).values():
            if hasattr(metric, "_labelnames"):
                for name in [known for known in labels if known.startswith(metric._name)]:
                    labels[name] |= set(metric._labelnames)
    return labels


@pytest.mark.parametrize("query", sorted(set(QUERIES)))
def test_every_metric_and_label_asked_for_exists(query: str) -> None:
    known = exposed()
    names = re.findall(r"\b(?:hotline|process)_\w+", query)
    assert names or "up{" in query
    assert [name for name in names if name not in known] == []
    labels = {label for name in names for label in known[name]} | PROMETHEUS_OWN
    asked = set(re.findall(r"(\w+)\s*=~?\"", query))
    asked |= {label.strip() for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(",")}
    assert asked <= labels, asked - labels
    assert all(query.count(left) == query.count(right) for left, right in ("()", "[]", "{}"))


def test_every_metric_of_ours_is_on_the_board_or_told_in_the_page() -> None:
    mine = [name for name in exposed() if name.startswith("hotline_")]
    ours = {re.sub(r"(_created)?(_(total|created|bucket|count|sum))?$", "", name) for name in mine}
    shown = set(re.findall(r"hotline_\w+?(?=_total|_bucket|\W)", " ".join(QUERIES) + " " + OPERATIONS))
    assert sorted(ours - shown) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alarm_says_what_it_means_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
    assert re.search(rf"^### {rule['alert']}$", OPERATIONS, re.MULTILINE), "a heading of its own"
    assert re.search(r"[\u4e00-\u9fff]|\$labels", rule["annotations"]["summary"])


def test_no_alarm_is_told_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (Hotline\w+)$", OPERATIONS, re.MULTILINE)) == {rule["alert"] for rule in RULES}


def test_the_board_is_drawn_without_overlap() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    cells = [(x, y) for panel in BOARD["panels"] for grid in [panel["gridPos"]]
             for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_takes_the_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(DEPLOY / "prometheus/alerts.yml")], check=True)


def test_prometheus_asks_the_ports_that_the_units_open() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    asked = {(static["labels"]["role"], int(target.rpartition(":")[2]))
             for static in config["scrape_configs"][0]["static_configs"] for target in static["targets"]}
    opened = {(role, port(f"hotline-{role}@.service", name, instance)) for instance in "12" for role, name in (
        ("intake", "HTTP_PORT"), ("gateway", "METRICS_PORT"), ("jobs", "METRICS_PORT"))}
    assert asked == opened


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────
class Unit(dict[str, list[str]]):
    """A unit file: `Section.Key` → values in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        section = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith(("#", ";")):
                key, sign, value = line.partition("=")
                assert sign, f"{path}: {line}"
                self.setdefault(f"{section}.{key}", []).append(value)

    @property
    def environment(self) -> dict[str, str]:
        pairs = (pair.partition("=") for pair in self.get("Service.Environment", []))
        return {name: value for name, _, value in pairs}


def port(unit: str, name: str, instance: str) -> int:
    return int(Unit(DEPLOY / "systemd" / unit).environment[PREFIX + name].replace("%i", instance))


def ours(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(PREFIX)}


def example() -> dict[str, str]:
    lines = (DEPLOY / "systemd/hotline.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def command_of(unit: Path) -> list[str]:
    [line] = Unit(unit)["Service.ExecStart"]
    return line.partition("-m hotline ")[2].split()


@pytest.mark.parametrize("unit", SERVING, ids=lambda unit: unit.name)
def test_a_unit_starts_what_exists_with_settings_that_exist(unit: Path, tmp_path: Path) -> None:
    parser().parse_args(command_of(unit))
    found = {name: value.replace("%i", "1") for name, value in ours(Unit(unit).environment).items()}
    load(example() | found | {"HOTLINE_CONFIG": "hotline.toml"})


def test_every_role_has_a_unit() -> None:
    assert {command_of(unit)[2] for unit in SERVING} == {role.value for role in Role}


@pytest.mark.parametrize("unit", [*SERVING, DEPLOY / "systemd/hotline-backup.service"], ids=lambda unit: unit.name)
def test_a_unit_may_do_no_more_than_it_needs(unit: Path) -> None:
    found = Unit(unit)
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces",
                "LockPersonality", "RestrictSUIDSGID", "ProtectKernelModules", "ProtectControlGroups"):
        assert found[f"Service.{key}"] == ["yes"], key
    assert found["Service.ProtectSystem"] == ["strict"]
    assert found["Service.CapabilityBoundingSet"] == [""]
    assert found["Service.User"] == ["hotline"]
    assert "/var/lib/hotline" in found["Service.ReadWritePaths"][0]


def test_no_two_processes_want_one_port() -> None:
    ports = [
        int(value.replace("%i", instance))
        for unit in SERVING for instance in ("12" if "@" in unit.name else "1")
        for name, value in Unit(unit).environment.items()
        if name.endswith("_PORT") and not ("intake" in unit.name and "WS" in name)
    ]
    assert len(ports) == len(set(ports)) == 9
    assert max(ports) < 32_768, "below the ports that the system hands out"


def test_the_target_wants_units_that_exist() -> None:
    wanted = " ".join(Unit(DEPLOY / "systemd/hotline.target")["Unit.Wants"]).split()
    files = {unit.name for unit in UNITS}
    assert [unit for unit in wanted if re.sub(r"@\w+", "@", unit) not in files] == []


def test_the_backup_unit_calls_the_command_as_it_is() -> None:
    given = parser().parse_args(command_of(DEPLOY / "systemd/hotline-backup.service"))
    assert str(given.out) == "/var/backups/hotline"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if unit.name.partition(".")[0].rstrip("@") in line]
    assert [line for line in told if re.search(r"Unknown|Failed to parse|Invalid|ignoring", line)] == []


# ── nginx ────────────────────────────────────────────────────────────────────────────────────────
NGINX = (DEPLOY / "nginx/hotline.conf").read_text(encoding="utf-8")


def test_nginx_passes_to_the_ports_of_the_units() -> None:
    named = {int(found) for found in re.findall(r"server 127\.0\.0\.1:(\d+)", NGINX)}
    units = {port("hotline-intake@.service", "HTTP_PORT", one) for one in "12"}
    units |= {port("hotline-gateway@.service", "WS_PORT", one) for one in "12"}
    assert named == units
    [listens] = re.findall(r"listen (\d{4}) ssl", NGINX)
    assert int(listens) == port("hotline-intake@.service", "WS_PORT", "1"), "what the console's page is told"


def test_nginx_says_whose_request_it_is_and_keeps_figures_inside() -> None:
    assert example()["HOTLINE_PROXIES"] == "1"
    locations = re.findall(r"location ([^{]+)\{([^}]*)\}", NGINX)
    for name, body in locations:
        if "proxy_set_header" in body:  # it inherits none then
            assert "X-Forwarded-For $proxy_add_x_forwarded_for" in body, name
            assert "Host $host" in body, name
            assert "X-Request-Id $request_id" in body, name
        if "Upgrade $http_upgrade" in body:
            assert "Connection $connection_upgrade" in body, name
    assert {name.strip() for name, body in locations if "$http_upgrade" in body} == {"/", "= /chat"}
    assert re.search(r"location = /metrics \{ return 404; \}", NGINX)
    size = re.search(r"client_max_body_size (\d+)m;", NGINX)
    assert size is not None
    assert int(size[1]) * 1024 * 1024 == MAX_WITH_FILES
    assert "non_idempotent;" not in NGINX.replace("(no `non_idempotent`)", "")
    assert NGINX.count("{") == NGINX.count("}")
    assert not re.search(r"TLSv1(\.1)?[ ;]", NGINX)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
def test_nginx_takes_the_file(tmp_path: Path) -> None:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout",
                    tmp_path / "k", "-out", tmp_path / "c"], check=True, capture_output=True)
    text = re.sub(r"/etc/nginx/tls/12345\.crt", str(tmp_path / "c"), NGINX)
    text = re.sub(r"/etc/nginx/tls/12345\.key", str(tmp_path / "k"), text)
    (tmp_path / "n.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ {text} }}")
    subprocess.run(["nginx", "-t", "-c", tmp_path / "n.conf", "-p", tmp_path], check=True, capture_output=True)


# ── containers ───────────────────────────────────────────────────────────────────────────────────
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


def test_the_containers_are_complete() -> None:
    services = COMPOSE["services"]
    roles = {service["command"][2] for service in services.values() if service["command"][0] == "serve"}
    assert roles == {role.value for role in Role}
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
    copied = re.findall(r"^COPY (?!--from)(\S+) ", text, re.MULTILINE)
    assert {"hotline", "channels", "routing", "triage", "agent_ui", "cities", "models"} <= set(copied)
    assert [name for name in copied if not Path(name).exists()] == []
    allowed = re.findall(r"^!(\S+)$", (DEPLOY / "docker/Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert set(copied) == set(allowed)
    settings = load({"HOTLINE_CONFIG": "hotline.toml"})
    exposed_ports = re.search(r"^EXPOSE (.+)$", text, re.MULTILINE)
    assert exposed_ports is not None
    assert exposed_ports[1].split() == [str(settings.http_port), str(settings.ws_port)]
    assert "USER hotline" in text
    found = dict(re.findall(r"(HOTLINE_\w+)=(\S+)", text))
    load(found | {"HOTLINE_CONFIG": "hotline.toml"})


def test_unit_files_are_read_by_another_parser_too() -> None:
    for unit in [*UNITS, DEPLOY / "systemd/hotline.target", DEPLOY / "systemd/hotline-backup.timer"]:
        other = configparser.RawConfigParser(strict=False)
        other.optionxform = str  # type: ignore[assignment, method-assign]
        other.read(unit)
        assert other.sections(), unit


# ── Patroni ──────────────────────────────────────────────────────────────────────────────────────
def test_patroni_never_promotes_who_may_lack_a_commit_and_the_hotline_asks_for_the_primary() -> None:
    patroni = yaml.safe_load((DEPLOY / "patroni/patroni.yml").read_text())
    dcs = patroni["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["postgresql"]["parameters"]["synchronous_commit"] == "on"
    assert patroni["watchdog"]["mode"] == "required"
    lines = (DEPLOY / "patroni/hotline.env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line.startswith(PREFIX))
    settings = load(given, file=Path("none.toml"))
    assert "target_session_attrs=read-write" in settings.dsn
    assert len(hosts_of(settings.dsn)) == len(patroni["etcd3"]["hosts"]) == 3
    assert "target_session_attrs" not in settings.reports_dsn
