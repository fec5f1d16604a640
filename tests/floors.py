"""Print the files of the floors F0 to F3 as `coverage report --include` takes them: `python -m tests.floors`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def files() -> list[str]:
    """Return the files of the floors that need no edge: domain, policies, ports, use cases."""
    settings = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = settings["contracts"][0]["layers"]
    start = next(n for n, layer in enumerate(layers) if "hotline.intake" in layer)
    modules = [name for layer in layers[start:] for name in re.findall(r"[\w.]+", layer)]
    paths = [Path(*name.split(".")) for name in modules]
    return [f"{path}.py" if path.with_suffix(".py").exists() else f"{path}/*" for path in paths]


if __name__ == "__main__":
    print(",".join(files()))
