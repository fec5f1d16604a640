"""The labelled texts of triage/data/appeals: reading, checking, and the tenth that is never trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from hotline.city import City
from hotline.errors import InvalidInput
from hotline.terms import Kind, Service, Verdict
from triage.card import DANGER

log = structlog.get_logger(__name__)
APART_ONE_IN = 10
_SHOWN = 20
HARD = "emergency"
"""How the files of emergencies, and of texts that only sound like one, begin."""
TICKET = "ticket"
"""Source of a city's own tickets: of these only text and category are labels."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled text. `towns` is where the matter happened; `source` the file it stands in. Without `l1` and `l2` it
    bears no category of the city (`fitting`)."""

    text: str
    l1: str
    l2: str
    kind: Kind
    verdict: Verdict
    services: tuple[Service, ...] = ()
    towns: tuple[str, ...] = ()
    register: str = ""
    source: str = ""

    @property
    def label(self) -> str:
        """Return the two levels as one label, `04施工噪声`."""
        return self.l1 + self.l2

    @property
    def asks(self) -> str:
        """Return the label of the head for kinds that the text teaches."""
        return self.kind.value if self.verdict is Verdict.NON_EMERGENCY else DANGER

    @property
    def apart(self) -> bool:
        """Tell whether the text belongs to the tenth kept aside: decided by its hash alone, so for ever."""
        return int.from_bytes(hashlib.sha256(self.text.encode()).digest(), "big") % APART_ONE_IN == 0


def read_corpus(folder: Path) -> list[Example]:
    """Read every JSON-lines file of `folder`, in order; a text that stands twice is read once.

    Raises:
        InvalidInput: there is none, or a line is no labelled text; names file and line.
    """
    found: dict[str, Example] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            example = _parsed(line, f"{path.name}:{number}")
            found.setdefault(example.text, msgspec.structs.replace(example, source=path.stem))
    if not found:
        raise InvalidInput(f"{folder} 内没有标注文本(*.jsonl)", error_id="corpus_empty")
    return list(found.values())


def fitting(examples: Sequence[Example], city: City) -> list[Example]:
    """Return the examples; those of categories that the city does not have bear none, and teach all the rest."""
    known = {label.l1 + label.l2 for label in city.categories}
    strange = Counter(example.label for example in examples if example.label not in known)
    if strange:
        log.warning("labels_unknown_to_the_city", texts=strange.total(), labels="、".join(sorted(strange)[:_SHOWN]))
    return [
        example if example.label in known else msgspec.structs.replace(example, l1="", l2="") for example in examples
    ]


def _parsed(line: bytes, where: str) -> Example:
    try:
        return msgspec.json.decode(line, type=Example)
    except msgspec.MsgspecError as error:
        raise InvalidInput(f"{where}: {error}", error_id="corpus_invalid") from error


def variety(texts: Iterable[str]) -> dict[str, float]:
    """Return distinct 4-grams ÷ all 4-grams, and the share of texts that nearly repeat an earlier one.

    Near: a Jaccard similarity of 4-grams above 0.6 with an earlier text that shares one of its rarer 4-grams.
    """
    grams = [frozenset(text[i : i + 4] for i in range(max(1, len(text) - 3))) for text in texts]
    seen: dict[str, int] = {}
    total = near = 0
    for number, own in enumerate(grams):
        total += len(own)
        rivals = {seen[gram] for gram in own if gram in seen}
        near += any(len(own & grams[rival]) > 0.6 * len(own | grams[rival]) for rival in rivals)
        for gram in own:
            seen.setdefault(gram, number)
    return {"distinct_4grams": len(seen) / max(1, total), "near_duplicates": near / max(1, len(grams))}
