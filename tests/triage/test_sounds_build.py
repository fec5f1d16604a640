"""The table of sounds: made from a dictionary of characters, and the one that is shipped made so."""

from __future__ import annotations

from importlib import resources

import pytest

from triage.sounds import sound_of
from triage.sounds_build import table

CHARACTERS = """新\t[xīn]1:x
鑫\t[xīn]1:x
乐\t[lè]1:x[yuè]2:x
呢\t[ne]1:x
张\t[zhāng]1:x
赞\t[zàn]1:x
囧\t[jiǒng]1:x
吖
"""


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_characters_stand_together_that_sound_alike_in_the_south() -> None:
    """By the first reading, toneless; what GB 2312 has not, and what has no reading, is left out."""
    assert lines(table(CHARACTERS)) == ["ne 乐呢", "xin 新鑫", "zan 张赞"]


def test_the_shipped_table_is_as_it_is_made() -> None:
    shipped = resources.files("triage").joinpath("data/sounds.txt").read_text("utf-8")
    told = [(line.split()[0], character) for line in lines(shipped) for character in line.split()[1]]
    assert table("".join(f"{character}\t[{sound}]1:x\n" for sound, character in told)) == shipped


@pytest.mark.parametrize(("one", "other", "alike"), [
    ("新达", "鑫达", True), ("张乐", "赞呢", True), ("新达", "新大", True), ("新达", "新马", False),
    ("囧新", "囧鑫", True), ("囧新", "吖新", False),
])
def test_names_typed_by_ear_sound_alike(one: str, other: str, alike: bool) -> None:
    assert (sound_of(one) == sound_of(other)) == alike
