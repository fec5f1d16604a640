"""Personal data hidden by default (domain.md section 8; GB/T 35273): 138****1234, 张*, 441900********1234. Pure.

A full view needs a reason, which is recorded with the ticket. Of 举报 and confidential tickets the handling department
sees nothing of the citizen, not even masked, whatever the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from stdnum import luhn

from agent_ui.staff import Staff, StaffRole
from hotline.summary import is_discreet
from hotline.ticket import Ticket
from triage.numbers import is_mobile, numerous, parted, private_in, starred

_CHINA = r"(?:\+|00)?86[- ]?"
_MOBILE = rf"((?:{_CHINA})?1[3-9]\d)[- ]?\d{{4}}[- ]?(\d{{4}})"
MOBILE = re.compile(rf"(?<![0-9A-Za-z]){_MOBILE}(?![0-9A-Za-z])")
MOBILE_ANYWHERE = re.compile(rf"(?<!\d){_MOBILE}(?!\d)")
"""Where it touches letters too, as in a repr (`\\n138…`) or an address (`%2B86138…`). A few hashes are garbled."""
LANDLINE = re.compile(rf"(?<![0-9A-Za-z])((?:{_CHINA}|0)\d{{2,3}}[- ]?)\d{{4}}(\d{{3,4}})(?![0-9A-Za-z])")
ABROAD = re.compile(r"(?<![0-9A-Za-z])(\+[1-9]\d{2})\d{2,8}(\d{4})(?![0-9A-Za-z])")
ID_CARD = re.compile(r"(?<![0-9A-Za-z])(\d{6})\d{8}(\d{3}[0-9Xx])(?![0-9A-Za-z])")
OLD_ID = re.compile(
    r"(?<![0-9A-Za-z])([1-9]\d{5})\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(\d{3})(?![0-9A-Za-z])"
)
LONG = re.compile(r"\d[\d -]{8}")
"""What a text must have for one of these patterns to be worth trying."""
_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?(?:\d{4}[ -]?\d{3}|\d{4})(?![0-9A-Za-z])")
HAN_NAME = re.compile(r"[㐀-鿿·]{2,20}")
_HALF = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)}
_TOUCHED = re.compile(r"[0-9A-Za-z*]")
_REST = re.compile(r"[+0-9Xx〇零一幺二三四五六七八九]*[ .-]?\*{3,}[ .-]?[0-9Xx〇零一幺二三四五六七八九]*")
T = TypeVar("T", bound=msgspec.Struct)
Shown = Callable[[dict[str, Any]], dict[str, Any]]
"""What is shown of a citizen."""
Told = Callable[[str, Sequence[str]], str]
"""What is shown of a text, by what is hidden, whose names are given."""


def mask_text(text: str) -> str:
    """Hide telephone numbers and identity documents that stand in a text."""
    if LONG.search(text) is not None:
        text = ID_CARD.sub(r"\1********\2", text)
        for pattern in (MOBILE, LANDLINE, ABROAD):
            text = pattern.sub(r"\1****\2", text)
    return _spoken_hidden(text)


def rest_hidden(text: str) -> str:
    """Star out what hiding has left of numbers: four last digits tell one citizen of ten thousand."""
    return _REST.sub(lambda found: re.sub(r"[^ .-]", "*", found[0]), text) if "***" in text else text


def _spoken_hidden(text: str, *, lines: bool = True) -> str:
    """Hide numbers that are said in words, parted in other ways or typed in full width, those of `lines` too."""
    if not (parted(text) if text.isascii() else numerous(text)):
        return text
    half = text.translate(_HALF)
    spans = [
        (start, end, name) for start, end, name in private_in(half)
        if (name == "id" or (name == "phone" and (lines or is_mobile(half[start:end]))))
        and not _TOUCHED.search(half[max(0, start - 1) : start] + half[end : end + 1])
    ]
    return starred(text, spans) if spans else text


def mask_name(name: str) -> str:
    """Keep the family name: 张三 → 张*."""
    return name[:1] + "*" * (len(name) > 0)


def mask_public(text: str, *names: str, phone: str = "") -> str:
    """Hide mobile numbers, identity documents, bank cards and the citizen's own names and phone in a public text.

    Landlines stay, except the citizen's: a reply often gives an office's.
    """
    text = _cards_hidden(OLD_ID.sub(r"\1********\2", ID_CARD.sub(r"\1********\2", text)))
    text = MOBILE.sub(r"\1****\2", text)
    own = phone.removeprefix("+86")
    text = LANDLINE.sub(lambda found: mask_text(found[0]) if _is(found[0], own) else found[0], text)
    return _without(_spoken_hidden(text, lines=False), names)


def cards_in(text: str) -> Iterator[re.Match[str]]:
    """Yield the numbers of bank cards; a file's number of as many digits passes their check one time in ten."""
    return (found for found in _CARD.finditer(text) if luhn.is_valid(re.sub(r"[ -]", "", found[0])))


def _cards_hidden(text: str) -> str:
    for found in reversed([*cards_in(text)]):
        text = f"{text[:found.start()]}{found[0][:4]}********{found[0][-4:]}{text[found.end():]}"
    return text


def _is(shown: str, own: str) -> bool:
    return own != "" and re.sub(r"\D", "", shown).lstrip("0").endswith(own)


def _without(text: str, names: Iterable[str]) -> str:
    """Chinese names only: a citizen who is called "report" or "2026" must not garble what programs read."""
    for name in sorted(names, key=len, reverse=True):  # 张三 stands in 张三丰 too
        text = text.replace(name, mask_name(name)) if HAN_NAME.fullmatch(name) else text
    return text


def mask_key(key: str) -> str:
    """Hide by what a channel knows somebody: a phone, or of anything else all but the first three signs."""
    masked = mask_text(key)
    return masked if masked != key else key[:3] + "*" * (len(key) > 3)


def _citizen(value: dict[str, Any]) -> dict[str, Any]:
    rules = {"name": mask_name, "phone": mask_text, "key": mask_key, "company": mask_name, "id_document": mask_key}
    return {name: rules[name](text) if name in rules else text for name, text in value.items()}


def _nobody(_: dict[str, Any]) -> dict[str, Any]:
    return {}


def _words(text: str, names: Sequence[str]) -> str:
    return _without(mask_text(text), names)


def _nobodys_words(text: str, names: Sequence[str]) -> str:
    text = rest_hidden(mask_text(text))
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "*" * len(name)) if HAN_NAME.fullmatch(name) else text
    return text


def _masked(value: Any, names: Sequence[str], citizen: Shown, words: Told) -> Any:
    match value:
        case str():
            return words(value, names)
        case dict():
            return {
                key: citizen(item) if key == "citizen" else _masked(item, names, citizen, words)
                for key, item in value.items() if key != "names"  # of a ticket: there to hide them
            }
        case list() | tuple():
            return [_masked(item, names, citizen, words) for item in value]
        case _:
            return value


def masked(value: T, *names: str, concealed: bool = False) -> T:
    """Return a ticket, an event or any other frozen value with personal data hidden in every text.

    Args:
        names: all that were told of the citizen, hidden wherever they stand.
        concealed: of the citizen nothing is left, nor in what they wrote: a family name and seven digits tell a
            department enough.
    """
    shown, words = (_nobody, _nobodys_words) if concealed else (_citizen, _words)
    return msgspec.convert(_masked(msgspec.to_builtins(value), names, shown, words), type(value))


def may_see_citizen(staff: Staff, ticket: Ticket) -> bool:
    """Tell whether this person may know who the citizen is: masked at once, in full for a reason."""
    return staff.role is not StaffRole.DEPARTMENT or not is_discreet(ticket)
