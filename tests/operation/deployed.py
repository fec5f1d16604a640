"""What `deploy/` holds, as the tests of this folder read it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hotline.config import PREFIX

DEPLOY = Path("deploy")
UNITS = sorted((DEPLOY / "systemd").glob("hotline*.service"))
SERVING = [unit for unit in UNITS if "serve --role" in unit.read_text()]
OPERATIONS = Path("docs/operations.md").read_text(encoding="utf-8")


def program(name: str) -> str:
    """Return where a program is; without it the test is skipped."""
    if found := shutil.which(name):
        return found
    pytest.skip(f"{name} is not installed")


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
