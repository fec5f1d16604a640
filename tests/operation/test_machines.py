"""What `deploy/` hands to machines fits the service: systemd units, nginx and Patroni name what exists."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from channels.kit import MAX_WITH_FILES
from hotline.__main__ import parser
from hotline.config import PREFIX, load
from hotline.roles import Role
from hotline.store.hosts import hosts_of
from tests.operation.deployed import DEPLOY, SERVING, UNITS, Unit, command_of, example, ours, port, program

NGINX = (DEPLOY / "nginx/hotline.conf").read_text(encoding="utf-8")


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────
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


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run([program("systemd-analyze"), "verify", "--man=no", str(unit)], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if unit.name.partition(".")[0].rstrip("@") in line]
    assert [line for line in told if re.search(r"Unknown|Failed to parse|Invalid|ignoring", line)] == []


def test_unit_files_are_read_by_another_parser_too() -> None:
    for unit in [*UNITS, DEPLOY / "systemd/hotline.target", DEPLOY / "systemd/hotline-backup.timer"]:
        other = configparser.RawConfigParser(strict=False)
        other.optionxform = str  # type: ignore[assignment, method-assign]
        other.read(unit)
        assert other.sections(), unit


# ── nginx ────────────────────────────────────────────────────────────────────────────────────────
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


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    nginx = program("nginx")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout",
                    tmp_path / "k", "-out", tmp_path / "c"], check=True, capture_output=True)
    text = re.sub(r"/etc/nginx/tls/12345\.crt", str(tmp_path / "c"), NGINX)
    text = re.sub(r"/etc/nginx/tls/12345\.key", str(tmp_path / "k"), text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = " ".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)  # not the folders of the machine's nginx
    (tmp_path / "n.conf").write_text(f"pid {tmp_path}/pid; events {{}} http {{ access_log off; {own} {text} }}")
    done = subprocess.run([nginx, "-t", "-c", tmp_path / "n.conf", "-p", tmp_path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


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
