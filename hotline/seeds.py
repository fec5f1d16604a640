"""Articles of a file (JSON lines), every mistake told with its line."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from hotline.errors import InvalidInput
from hotline.library import Seed


def read_seeds(file: Path, *, units: Collection[str]) -> list[Seed]:
    """Read the articles of a file.

    Raises:
        InvalidInput: lines that are no articles, keys that stand twice, or departments that are not among `units`.
    """
    seeds: dict[str, Seed] = {}
    wrong = []
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            seed = msgspec.json.decode(line, type=Seed)
        except msgspec.MsgspecError as error:
            wrong.append(f"{file.name}:{number}: {error}")
            continue
        if seed.key in seeds:
            wrong.append(f"{file.name}:{number}: key {seed.key} 重复")
        if seed.content.department not in units:
            wrong.append(f"{file.name}:{number}: 单位“{seed.content.department}”不在单位表内")
        seeds[seed.key] = seed
    if wrong:
        raise InvalidInput("\n".join(wrong))
    return list(seeds.values())
