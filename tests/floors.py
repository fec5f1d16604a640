"""Branch coverage of the floors F0 to F3, one by one, after `coverage run --branch`: `python -m tests.floors`."""

from __future__ import annotations

import io
import re
import sys
import tomllib
from pathlib import Path

from coverage import Coverage

GOAL = 90.0
_LOWEST = ("F3 use cases", "F3 use cases' kit", "F2 ports", "F1 policies", "F0 domain")
"""The floors that need no edge, as they stand last in the contract."""


def floors() -> dict[str, list[str]]:
    """Return the files of each floor that needs no edge, the highest first."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = settings["contracts"][0]["layers"][-len(_LOWEST):]
    return {name: _files(layer) for name, layer in zip(_LOWEST, layers, strict=True)}


def _files(layer: str) -> list[str]:
    paths = [Path(*name.split(".")) for name in re.findall(r"[\w.]+", layer)]
    return [f"{path}.py" if path.with_suffix(".py").exists() else f"{path}/*" for path in paths]


def main() -> int:
    """Tell the files that are not covered whole, and each floor's percentage; exit status 1 below the goal."""
    coverage, told, below = Coverage(), [], 0
    coverage.load()
    everything = [file for files in floors().values() for file in files]
    coverage.report(include=everything, skip_covered=True, file=sys.stdout)
    for name, files in floors().items():
        covered = coverage.report(include=files, file=io.StringIO())
        below += covered < GOAL
        told.append(f"{covered:6.1f} %  {name}, {len(files)} files")
    sys.stdout.write("\n" + "\n".join(told) + f"\ngoal: {GOAL:g} % of each\n")
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
