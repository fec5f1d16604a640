"""`python -m triage.background_build`: counts the project's own texts for data/background.npz and data/matters.txt."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from triage.background import SLOT_BITS, grams, slots
from triage.corpus import read_corpus
from triage.match import batch_of
from triage.matters import matters_in
from triage.text import normalise


def counted(texts: list[str]) -> NDArray[np.uint16]:
    """Return the table of counts over clean, lower-case texts."""
    keys, owners = grams(texts)
    cells = np.unique(owners.astype(np.uint64) << np.uint64(SLOT_BITS) | slots(keys).astype(np.uint64))
    counts = np.bincount((cells & np.uint64((1 << SLOT_BITS) - 1)).astype(np.int64), minlength=1 << SLOT_BITS)
    return np.minimum(counts, np.iinfo(np.uint16).max).astype(np.uint16)


def main() -> None:
    """Count the texts of triage/data/appeals and write data/background.npz and the counts of data/matters.txt."""
    folder = Path(__file__).parent / "data"
    texts = [text.clean.lower() for text in normalise([one.text for one in read_corpus(folder / "appeals")])]
    np.savez_compressed(folder / "background.npz", counts=counted(texts), texts=np.int64(len(texts)))
    seen = Counter(matter.name for found in matters_in(batch_of(texts)) for matter in found)
    path = folder / "matters.txt"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join(_with_count(line, seen) for line in lines) + "\n", "utf-8")


def _with_count(line: str, seen: Counter[str]) -> str:
    found = re.match(r"([^#\s:!]+)(!?)(?: \d+)?: ", line)
    if found is None:
        return line
    return f"{found[1]}{found[2]} {seen[found[1]]}: {line[found.end():]}"


if __name__ == "__main__":
    main()
