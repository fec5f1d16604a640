"""What `deploy/` hands to Prometheus and Grafana fits the service: metrics, labels, ports and pages exist."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import agent_ui.figures
import hotline.figures
import hotline.operation
import hotline.web
from hotline import operation
from hotline.errors import Overloaded
from tests.operation.deployed import DEPLOY, OPERATIONS, SERVING, Unit, command_of, port, program

RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana/hotline.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
PATRONI = {name: {"scope", "name"} for name in ("patroni_sync_standby", "patroni_primary")}
"""What Patroni's own /metrics tells of each server, as its REST API is documented."""
PROMETHEUS_OWN = {"up", "instance", "job", "role", "le"}


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
    known = exposed() | PATRONI
    names = re.findall(r"\b(?:hotline|process|patroni)_\w+", query)
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


@pytest.mark.parametrize(("what", "file"), [("rules", "alerts.yml"), ("config", "prometheus.yml")])
def test_promtool_takes_the_rules_and_who_is_asked(what: str, file: str) -> None:
    subprocess.run([program("promtool"), "check", what, DEPLOY / "prometheus" / file], check=True)


def test_prometheus_asks_the_ports_that_the_units_open() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    asked = {(static["labels"]["role"], int(target.rpartition(":")[2]))
             for static in config["scrape_configs"][0]["static_configs"] for target in static["targets"]}
    opened = {(role, port(unit.name, "HTTP_PORT" if role == "intake" else "METRICS_PORT", instance))
              for unit in SERVING for role in [command_of(unit)[2]] for instance in ("12" if "@" in unit.name else "1")}
    assert asked == opened


@pytest.mark.parametrize("unit", SERVING, ids=lambda unit: unit.name)
def test_the_alarm_of_memory_rings_before_systemd_kills(unit: Path) -> None:
    [rule] = [rule for rule in RULES if rule["alert"] == "HotlineMemory"]
    limits = re.findall(r'role=~?"([^"]+)"} > ([\d.e]+)', rule["expr"])
    [rings] = [float(limit) for roles, limit in limits if command_of(unit)[2] in roles.split("|")]
    [killed] = Unit(unit)["Service.MemoryMax"]
    assert rings <= int(killed.removesuffix("G")) * 2**30 * 0.75


def test_prometheus_asks_every_patroni_where_it_listens() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    [patroni] = [job for job in config["scrape_configs"] if job["job_name"] == "patroni"]
    one = yaml.safe_load((DEPLOY / "patroni/patroni.yml").read_text())
    port_of_it = one["restapi"]["connect_address"].rpartition(":")[2]
    servers = {host.partition(":")[0] for host in one["etcd3"]["hosts"]}
    assert {target for static in patroni["static_configs"] for target in static["targets"]} == {
        f"{server}:{port_of_it}" for server in servers}
    assert patroni["scheme"] == ("https" if "certfile" in one["restapi"] else "http")


_HOUR = 3600
BROKEN_PROMISES = [
    ("HotlineAuditBroken", "hotline_audit_broken", "0", "1"),
    ("HotlineAuditUnchained", "hotline_audit_unchained_seconds", "2", "700"),
    ("HotlineAuditUnchecked", 'hotline_upkeep_seconds{what="audit.verify"}', f"{25 * _HOUR}", f"{31 * _HOUR}"),
    ("HotlineBackupOld", 'hotline_upkeep_seconds{what="backup"}', f"{25 * _HOUR}", f"{31 * _HOUR}"),
    ("HotlineAccountsLocked", "hotline_accounts_locked", "1", "4"),
    ("HotlineRecordingsWaiting", 'hotline_backlog_oldest_seconds{what="recording"}', "30", "700"),
    ("HotlineMemory", 'process_resident_memory_bytes{role="call"}', "1.4e9", "1.6e9"),
    ("HotlineProcessDown", 'up{job="hotline", role="call"}', "1", "0"),
    ("HotlineNoSyncStandby", 'patroni_sync_standby{scope="hotline"}', "1", "0"),
    ("HotlinePatroniDown", 'up{job="patroni"}', "1", "0"),
]


@pytest.mark.parametrize(("alarm", "series", "fine", "wrong"), BROKEN_PROMISES, ids=lambda value: str(value)[:30])
def test_a_broken_promise_sounds_its_alarm_and_a_kept_one_none(
    tmp_path: Path, alarm: str, series: str, fine: str, wrong: str
) -> None:
    sounds(tmp_path, alarm, series, {f"{fine}x100": 0, f"{wrong}x100": 1})


@pytest.mark.parametrize(("alarm", "counter", "more"), [
    ("HotlineJobsFail", operation.JOBS, {"outcome": "failed"}),
    ("HotlineRefusesAppeals", hotline.figures.APPEALS, {"outcome": Overloaded.error_id}),
])
def test_the_first_of_what_an_alarm_counts_sounds_it(
    tmp_path: Path, alarm: str, counter: Counter, more: dict[str, str]
) -> None:
    """Only where the series is there before: of one that begins at 1 Prometheus sees no increase."""
    operation.expect("send_message")
    [told] = counter.collect()
    [sample] = [one for one in told.samples if one.name.endswith("_total") and one.value == 0
                and one.labels.items() >= more.items()][:1]
    labels = ", ".join(f'{name}="{value}"' for name, value in sample.labels.items())
    sounds(tmp_path, alarm, f"{sample.name}{{{labels}}}", {"_x96 1x9": 0, "0x96 1x9": 1})


def sounds(tmp_path: Path, alarm: str, series: str, told: dict[str, int]) -> None:
    """Check for each history of a series, a value each 15 s, whether the alarm sounds after 25 minutes."""
    asked = f"count(ALERTS{{alertname='{alarm}', alertstate='firing'}}) or vector(0)"
    cases = [
        {"interval": "15s", "input_series": [{"series": series, "values": values}],
         "promql_expr_test": [{"expr": asked, "eval_time": "25m", "exp_samples": [{"labels": "{}", "value": firing}]}]}
        for values, firing in told.items()
    ]
    rules = str((DEPLOY / "prometheus/alerts.yml").absolute())
    file = tmp_path / "cases.yml"
    file.write_text(yaml.safe_dump({"rule_files": [rules], "evaluation_interval": "15s", "tests": cases}))
    done = subprocess.run([program("promtool"), "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
