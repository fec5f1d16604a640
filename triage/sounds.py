"""How characters sound: toneless, accents of the south levelled (z/zh, l/n, in/ing), for names typed by ear.

data/sounds.txt holds one line a sound, the characters that have it; from the dictionary of characters of JioNLP (Apache
License 2.0), `python -m triage.sounds_build`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _table() -> dict[str, int]:
    lines = resources.files("triage").joinpath("data/sounds.txt").read_text("utf-8").splitlines()
    told = [line for line in lines if line and not line.startswith("#")]
    return {character: number for number, line in enumerate(told, start=1) for character in line.split()[1]}


def sound_of(pair: str) -> int:
    """Return a number for how two characters sound; a character that has no sound known stands for itself."""
    table = _table()
    first, second = (table.get(character, 1024 + ord(character)) for character in pair)
    return first << 21 | second
