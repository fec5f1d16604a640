"""`python -m triage.sounds_build`: writes data/sounds.txt from JioNLP's dictionary (requirements-city.txt)."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from triage.dictionaries import Dictionaries
from triage.homophones import first_reading

_HEAD = """# Characters by how they sound, toneless, accents levelled (triage/homophones.py), each by its first reading
# in the dictionary of characters of JioNLP (Apache License 2.0). Made by `python -m triage.sounds_build`.
"""


def main() -> None:
    """Write the table."""
    made = table(Dictionaries().text("chinese_char_dictionary"))
    (Path(__file__).parent / "data" / "sounds.txt").write_text(made, "utf-8")


def table(dictionary: str) -> str:
    """Return the table made from a dictionary of characters: a line a sound, both sounds and characters in order."""
    alike: dict[str, list[str]] = defaultdict(list)
    for character, sound in first_reading(dictionary).items():
        if _written(character):
            alike[sound].append(character)
    lines = (f"{sound} {''.join(sorted(characters))}" for sound, characters in sorted(alike.items()))
    return _HEAD + "\n".join(lines) + "\n"


def _written(character: str) -> bool:
    """Tell whether people write it: GB 2312 has it."""
    return "\u4e00" <= character <= "\u9fff" and bool(character.encode("gb2312", "ignore"))


if __name__ == "__main__":
    main()
