"""What `deploy/` hands to machines fits the service: systemd units, nginx and Patroni name what exists."""

from __future__ import annotations

import configparser
import http.client
import re
import ssl
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from agent_ui.access import Door
from agent_ui.page import AREAS
from agent_ui.routes import ROUTES
from channels.kit import MAX_WITH_FILES
from hotline.__main__ import parser
from hotline.config import PREFIX, Settings, load
from hotline.roles import Role
from hotline.store.hosts import hosts_of
from tests.operation.deployed import DEPLOY, OPERATIONS, SERVING, UNITS, Unit, command_of, example, ours, port, program
from tests.ports import free_port

NGINX = (DEPLOY / "nginx/hotline.conf").read_text(encoding="utf-8")


NIGHTLY = [DEPLOY / f"systemd/hotline-{name}.service" for name in ("audit", "backup", "restore-check")]


# ── systemd ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("unit", SERVING, ids=lambda unit: unit.name)
def test_a_unit_starts_what_exists_with_settings_that_exist(unit: Path, tmp_path: Path) -> None:
    parser().parse_args(command_of(unit))
    found = {name: value.replace("%i", "1") for name, value in ours(Unit(unit).environment).items()}
    load(example() | found | {"HOTLINE_CONFIG": "hotline.toml"})


@pytest.mark.parametrize("unit", [*SERVING, DEPLOY / "systemd/hotline-backup.service"], ids=lambda unit: unit.name)
def test_a_unit_waits_for_the_files_that_machines_share(unit: Path) -> None:
    home = example()["HOTLINE_DATA_DIR"]
    assert Unit(unit)["Unit.RequiresMountsFor"] == [f"{home}/attachments {home}/recordings"]
    assert all(f"`{name}`" in OPERATIONS.partition("## Several machines")[2] for name in ("attachments", "recordings"))


@pytest.mark.parametrize("unit", SERVING, ids=lambda unit: unit.name)
def test_a_unit_has_started_when_it_serves(unit: Path) -> None:
    """So a rolling restart takes the next one when this one is there: the page restarts one after the other."""
    assert Unit(unit)["Service.Type"] == ["notify"]
    assert Unit(unit)["Service.TimeoutStartSec"] == ["infinity"], "a start may migrate"
    assert "AF_UNIX" in Unit(unit)["Service.RestrictAddressFamilies"][0]


def test_every_role_has_a_unit() -> None:
    assert {command_of(unit)[2] for unit in SERVING} == {role.value for role in Role}


@pytest.mark.parametrize("unit", [*SERVING, *NIGHTLY], ids=lambda unit: unit.name)
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


def test_the_target_starts_every_role() -> None:
    """`call` too: it gives chats to agents where there is no PBX."""
    wanted = " ".join(Unit(DEPLOY / "systemd/hotline.target")["Unit.Wants"]).split()
    started = {re.sub(r"@\w+", "@", unit) for unit in wanted}
    assert {command_of(unit)[2] for unit in SERVING if unit.name in started} == {role.value for role in Role}


def test_the_backup_unit_calls_the_command_as_it_is() -> None:
    given = parser().parse_args(command_of(DEPLOY / "systemd/hotline-backup.service"))
    assert (str(given.out), given.keep) == ("/var/backups/hotline", 14)
    check = parser().parse_args(command_of(DEPLOY / "systemd/hotline-restore-check.service"))
    assert (check.file, check.check, check.force) == (given.out, True, False)


@pytest.mark.parametrize("unit", NIGHTLY, ids=lambda unit: unit.name)
def test_what_a_timer_starts_exists_is_switched_on_and_tells_when_it_fails(unit: Path) -> None:
    parser().parse_args(command_of(unit))
    timer = Unit(unit.with_suffix(".timer"))
    assert timer["Timer.OnCalendar"][0].endswith("Asia/Shanghai")
    assert timer["Timer.Persistent"] == ["yes"]
    assert f"{unit.stem}.timer" in OPERATIONS.partition("## Start")[0]
    assert Unit(unit)["Unit.OnFailure"] == ["hotline-failed@%N.service"]
    assert (DEPLOY / "systemd/hotline-failed@.service").is_file()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_the_unit(unit: Path) -> None:
    done = subprocess.run([program("systemd-analyze"), "verify", "--man=no", str(unit)], capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if unit.name.partition(".")[0].rstrip("@") in line]
    assert [line for line in told if re.search(r"Unknown|Failed to parse|Invalid|ignoring", line)] == []


def test_unit_files_are_read_by_another_parser_too() -> None:
    for unit in [*UNITS, DEPLOY / "systemd/hotline.target", *(unit.with_suffix(".timer") for unit in NIGHTLY)]:
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


STAFFS = (*(f"GET {area}" for area in AREAS), "POST /api/v1/login", "GET /api/v1/sso")
"""Routes that ask for nobody's log-in, and are for staff all the same; and what stands below them."""


@pytest.mark.parametrize("route", ROUTES)
def test_nginx_opens_the_routes_of_staff_to_inside_networks_and_all_others_to_everybody(route: str) -> None:
    guarded = re.findall(r"location ~ (\S+) \{\s+if \(\$hotline_outside\) \{ return 403; \}", NGINX)
    assert len(guarded) == 2
    closed = any(re.search(pattern, re.sub(r"\{\w+\}", "x", route.split()[1])) for pattern in guarded)
    named = any(route == one or route.startswith(f"{one}/") for one in STAFFS)
    assert closed == (named or ROUTES[route].door in (Door.STAFF, Door.OWN))


def test_the_consoles_port_is_open_to_inside_networks_only() -> None:
    consoles = NGINX[NGINX.index("listen 8443"):]
    assert "if ($hotline_outside) { return 403; }" in consoles


def _command(nginx: str, home: Path, text: str = NGINX) -> list[str]:
    """Return the command of an nginx that has our file and touches nothing of the machine's own."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout",
                    home / "k", "-out", home / "c"], check=True, capture_output=True)
    for theirs, here in (("/etc/nginx/tls/12345.crt", "c"), ("/etc/nginx/tls/12345.key", "k"), ("/var/log/nginx", "")):
        text = text.replace(theirs, str(home / here))
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    own = " ".join(f"{kind}_temp_path {home}/{kind};" for kind in kinds)
    (home / "n.conf").write_text(
        f"pid {home}/pid; error_log {home}/e; events {{}} http {{ access_log {home}/all; {own} {text} }}"
    )
    return [nginx, "-c", str(home / "n.conf"), "-p", str(home), "-e", str(home / "e")]


def test_nginx_takes_the_file(tmp_path: Path) -> None:
    done = subprocess.run([*_command(program("nginx"), tmp_path), "-t"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _running(text: str) -> tuple[str, dict[str, int]]:
    """Return our file with ports that are free, and which ones."""
    ports = {"80;": free_port(), "443 ssl http2;": free_port(), "8443 ssl;": free_port()}
    text = re.sub(r" *listen \[::\].*\n", "", text)
    for listens, at in ports.items():
        text = text.replace(f"listen {listens}", f"listen 127.0.0.1:{at}{listens.lstrip('0123456789')}")
    return text, ports


def _ask(at: int, path: str, *, tls: bool) -> int:
    if tls:
        trusting = ssl._create_unverified_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection("127.0.0.1", at, context=trusting)
    else:
        connection = http.client.HTTPConnection("127.0.0.1", at)
    connection.request("GET", path, headers={"Referer": f"https://12345.example.gov.cn{path}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_nginx_keeps_nothing_that_opens_a_ticket(tmp_path: Path) -> None:
    """The service is away, so its errors are kept too; whatever nginx writes, into whichever log, is looked through."""
    text, ports = _running(NGINX)
    command = _command(program("nginx"), tmp_path, text)
    subprocess.run(command, check=True, capture_output=True)  # it listens when this returns
    addresses = ("/r/DG1.abc.secret", "/api/v1/ratings/DG1.abc.secret", "/api/v1/tickets/DG1?code=secret",
                 "/open311/v2/tokens/secret.json")
    try:
        asked = [_ask(at, path, tls="ssl" in listens) for listens, at in ports.items() for path in addresses]
    finally:
        subprocess.run([*command, "-s", "quit"], check=True, capture_output=True)
        for _ in range(1000):  # it writes its last lines before it takes this file away
            if (tmp_path / "pid").exists():
                time.sleep(0.01)
    assert 502 in asked
    lines = (tmp_path / "hotline.log").read_text(encoding="utf-8").splitlines()
    assert [line.split('"')[1].split()[1] for line in lines] == [
        "/r/*", "/api/v1/ratings/*", "/api/v1/tickets/DG1", "/open311/v2/tokens/*"
    ] * 3
    kept = {file.name: file.read_text() for file in tmp_path.iterdir() if file.is_file() and file.name != "k"}
    assert [name for name, written in kept.items() if "secret" in written] == []


# ── Patroni ──────────────────────────────────────────────────────────────────────────────────────
PATRONI = yaml.safe_load((DEPLOY / "patroni/patroni.yml").read_text())
LET_IN = [line.split() for line in PATRONI["postgresql"]["pg_hba"]]


def of_the_hotline() -> Settings:
    lines = (DEPLOY / "patroni/hotline.env.example").read_text().splitlines()
    return load(dict(line.split("=", 1) for line in lines if line.startswith(PREFIX)), file=Path("none.toml"))


@pytest.mark.parametrize(("user", "kind", "database"), [
    ("superuser", "local", "all"), ("replication", "local", "replication"), ("replication", "hostssl", "replication"),
    ("rewind", "hostssl", "postgres"), ("hotline", "hostssl", "hotline"),
])
def test_postgresql_lets_in_everybody_whom_patroni_and_the_hotline_send(user: str, kind: str, database: str) -> None:
    name = PATRONI["postgresql"]["authentication"].get(user, {}).get("username", user)
    assert [line[:3] for line in LET_IN].count([kind, database, name]) == 1


def test_nobody_is_let_in_who_is_not_asked_who_they_are_nor_over_a_bare_line() -> None:
    assert {line[0] for line in LET_IN} == {"local", "hostssl"}
    assert {line[-1] for line in LET_IN} == {"peer", "scram-sha-256"}
    parameters = PATRONI["bootstrap"]["dcs"]["postgresql"]["parameters"]
    assert parameters["ssl"] == "on", "else PostgreSQL passes over each `hostssl`"
    assert {"ssl_cert_file", "ssl_key_file"} <= set(parameters)
    assert PATRONI["postgresql"]["use_unix_socket"] is PATRONI["postgresql"]["use_unix_socket_repl"] is True
    assert "pg_hba" not in PATRONI["bootstrap"], "it would come after what initdb lets in"
    for dsn in (of_the_hotline().dsn, of_the_hotline().reports_dsn):
        assert "sslmode=verify-full&sslrootcert=/" in dsn


def test_nobody_changes_the_cluster_without_a_password_or_a_certificate() -> None:
    assert set(PATRONI["restapi"]["authentication"]) == {"username", "password"}
    assert {"certfile", "keyfile", "cafile"} <= set(PATRONI["restapi"])
    assert PATRONI["etcd3"]["protocol"] == "https"
    assert {"cacert", "cert", "key"} <= set(PATRONI["etcd3"])


def test_patroni_never_promotes_who_may_lack_a_commit_and_the_hotline_asks_for_the_primary() -> None:
    patroni = PATRONI
    dcs = patroni["bootstrap"]["dcs"]
    assert dcs["synchronous_mode"] is True
    assert dcs["postgresql"]["parameters"]["synchronous_commit"] == "on"
    assert patroni["watchdog"]["mode"] == "required"
    settings = of_the_hotline()
    assert "target_session_attrs=read-write" in settings.dsn
    assert len(hosts_of(settings.dsn)) == len(patroni["etcd3"]["hosts"]) == 3
    assert "target_session_attrs" not in settings.reports_dsn


def test_whoever_follows_the_page_gets_a_primary_and_keeps_room_on_its_disk() -> None:
    """Patroni lets nobody lead without the watchdog it requires; WAL that no program archives fills the disk."""
    device = PATRONI["watchdog"]["device"].rpartition("/")[2]
    assert "modprobe softdog" in OPERATIONS
    assert f'KERNEL=="{device}", OWNER="postgres"' in OPERATIONS
    assert PATRONI["bootstrap"]["dcs"]["postgresql"]["parameters"]["archive_mode"] == "off"
    assert "`archive_mode` is switched on" in OPERATIONS, "by who has installed what archives"
