"""An appeal (诉求) as the citizen put it, and what triage made of it. Plain frozen values.

`Triage` is the shape that `python -m hotline triage` prints and that every later step reads.
"""

from __future__ import annotations

import re

import msgspec

from hotline.ids import DepartmentCode
from hotline.terms import Kind, Priority, Service, Verdict


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the frozen values; defaults are left out of the JSON to keep rows small."""


class Citizen(Value, frozen=True):
    """诉求人. `key` is what the channel knows them by (phone in E.164 form, WeChat open id).

    `company` (单位) is for whom they speak, `id_document` (证件) the number of the document that they show.
    """

    name: str = ""
    phone: str = ""
    key: str = ""
    company: str = ""
    id_document: str = ""


class Place(Value, frozen=True):
    """Where the matter happened; `lat` and `lon` in degrees of GCJ-02: channels convert what comes otherwise.

    `grid` is the code or name of the community grid (网格).
    """

    town: str = ""
    village: str = ""
    grid: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None


class Attachment(Value, frozen=True):
    """A file kept outside the web root. `key` is the SHA-256 of the content, `size` in bytes."""

    key: str
    name: str
    media_type: str
    size: int


class Appeal(Value, frozen=True):
    """What the citizen said, before anybody judged it.

    Attributes:
        happened_at: when it happened, as it was told: an ISO time, or words such as 昨晚十点.
        about: whom it concerns (被反映对象), a person, a shop, a company.
    """

    text: str
    title: str = ""
    kind: Kind | None = None
    citizen: Citizen = Citizen()
    place: Place = Place()
    happened_at: str = ""
    about: str = ""
    confidential: bool = False
    attachments: tuple[Attachment, ...] = ()


def compared_text(appeal: Appeal) -> str:
    """Return what an appeal is compared with others by: title, place and text, each once."""
    text = appeal.text
    for more in (appeal.place.town + appeal.place.address, appeal.title):
        if more and more not in text:
            text = f"{more}。{text}" if text else more
    return text


class Category(Value, frozen=True, omit_defaults=False):
    """事项分类: `l1` two-digit code, `l2` name of the second level, `confidence` calibrated in 0..1."""

    l1: str
    l2: str
    confidence: float = 0.0


class Entity(Value, frozen=True, omit_defaults=False):
    """A span in the text: `type` is phone, id, time, address, org, plate or amount; offsets in characters."""

    type: str
    text: str
    start: int = 0
    end: int = 0


class Evidence(Value, frozen=True, omit_defaults=False):
    """Words that led to a verdict: `rule` names the rule or model, offsets in characters."""

    rule: str
    text: str
    start: int = 0
    end: int = 0


class Triage(Value, frozen=True, omit_defaults=False):
    """What triage made of a text. `needs_person` sends the ticket to an agent instead of a department.

    `sure` says that the matter is sure: with `needs_person`, that only the place is wanting. `department` and
    `assisting` are names of units as in the dispatch directory, "" where a person must decide.
    """

    category: Category | None
    alternatives: tuple[Category, ...] = ()
    kind: Kind = Kind.OTHER
    verdict: Verdict = Verdict.NON_EMERGENCY
    services: tuple[Service, ...] = ()
    towns: tuple[str, ...] = ()
    department: DepartmentCode = DepartmentCode("")
    assisting: tuple[DepartmentCode, ...] = ()
    priority: Priority = Priority.P3
    entities: tuple[Entity, ...] = ()
    needs_person: bool = False
    evidence: tuple[Evidence, ...] = ()
    title: str = ""
    model: str = ""
    sure: bool = False


UNTRIAGED = Triage(category=None, verdict=Verdict.UNCLEAR, needs_person=True, model="none")
"""What intake uses when triage fails or is late: the ticket is kept, and as nobody has looked for danger in it, it
waits among the unclear ones, in front of ordinary work, for a person to decide."""

WORDLESS = Triage(category=None, needs_person=True, model="none")
"""What intake uses for a picture without words: nothing in it could be judged, so it raises nothing either."""
_WORDLESS = re.compile(r"\[(?:图片|语音|视频)\]|https?://\S+")
_VOICE = "[语音]"
"""What stands for a voice message that was not turned into words."""
_WORD = re.compile(r"[^\W_]")


def letters_of(text: str) -> int:
    """Return how many letters and figures a text has beyond the marks and addresses that are no words."""
    return len(_WORD.findall(_WORDLESS.sub("", text)))


def has_words(text: str) -> bool:
    """Tell whether a text says anything: a picture's or a voice message's mark, an address and emoji do not."""
    return _WORD.search(_WORDLESS.sub("", text)) is not None


def unspoken(text: str) -> Triage:
    """Return the triage of a message without words.

    In a voice message that nobody has heard somebody may cry for help: it is unclear, as what nobody could judge is.
    """
    start = text.find(_VOICE)
    if start < 0:
        return WORDLESS
    unheard = Evidence(rule="unheard", text=_VOICE, start=start, end=start + len(_VOICE))
    return msgspec.structs.replace(UNTRIAGED, evidence=(unheard,))
