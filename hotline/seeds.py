"""Articles of a file (JSON lines), every mistake told with its line."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from hotline.errors import UNREADABLE, InvalidInput
from hotline.library import Seed


def read_seeds(file: Path, *, units: Collection[str]) -> list[Seed]:
    """Read the articles of a file; raises InvalidInput as `seeds_of` does."""
    return seeds_of(file.read_bytes(), name=file.name, units=units)


def seeds_of(data: bytes, *, name: str, units: Collection[str]) -> list[Seed]:
    """Return the articles in a file's bytes.

    Raises:
        InvalidInput: lines that are no articles, keys that stand twice, or departments that are not among `units`.
    """
    seeds: dict[str, Seed] = {}
    wrong = []
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            seed = msgspec.json.decode(line, type=Seed)
        except UNREADABLE as error:
            wrong.append(f"{name}:{number}: {error}")
            continue
        if seed.key in seeds:
            wrong.append(f"{name}:{number}: key {seed.key} 重复")
        if seed.content.department not in units:
            wrong.append(f"{name}:{number}: 单位“{seed.content.department}”不在单位表内")
        seeds[seed.key] = seed
    if wrong:
        raise InvalidInput("\n".join(wrong))
    return list(seeds.values())
