"""A citizen's question how a ticket stands, found in what they write: number and code, in whatever form. Pure.

WeChat copies whole bubbles, so that our own receipt comes back as it was sent. Wherever a number and a code stand
together the code is hidden from what others read: who has both may rate and withdraw for the citizen.
"""

from __future__ import annotations

import re

import msgspec

from hotline.ids import is_ticket_number

_HALF = {full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
"""Full width to half, one character for one: what is found there stands at the same place in the text."""
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[A-Za-z]{2}[0-9]{15,23}(?![0-9])")
"""From one digit less than a number has: a mistyped one is a look-up all the same."""
_LABELLED = re.compile(r"查询码[\s:;,是为]*([0-9]{4,10})(?![0-9])")
_ALONE = re.compile(r"(?<![0-9A-Za-z.])[0-9]{6}(?![0-9A-Za-z])")
"""What a code looks like where words stand beside it: 2026年 is none."""
_BARE = re.compile(r"(?<![0-9])[0-9]{4,10}(?![0-9])")
_OURS = re.compile(
    r"您的诉求已受理。?|已补充到您的工单\(.*|(?:事项|承办单位|预计办结):.*|情况紧急,已同时移交.*|如有人身危险,.*"
)
"""Lines of `channels.wording.receipt_text` beside number and code, in half width."""
_RECEIPT = re.compile(r"^(?:您的诉求已受理|已补充到您的工单|承办单位:)", re.MULTILINE)
"""What tells that a receipt was pasted: nobody else writes 承办单位, while 事项 may begin a citizen's own line."""
_LABELS = re.compile(r"工单号|查询码|查询|进度|工单|查|\W|_")
HIDDEN = "******"
_CODE = len(HIDDEN)


class Asked(msgspec.Struct, frozen=True):
    """Number, in capitals, and code as they were typed; `words` is what else was said, the code hidden, "" for none."""

    number: str
    code: str
    words: str


def asked_in(text: str) -> Asked | None:
    """Return the look-up that a text holds, None where it names no number or no code."""
    text = _apart(text)
    half = text.translate(_HALF)
    number = _NUMBER.search(half)
    if number is None:
        return None
    text, half = _own(text, half)
    beside = _NUMBER.sub(" ", half)
    code = _code(beside)
    if not code:
        return None
    return Asked(number[0].upper(), code, _hidden(text, half, code) if _rest(beside, code) else "")


def lacks_code(text: str) -> bool:
    """Tell whether a text names a number and says nothing else: whoever asks how it stands has to give the code too."""
    half = text.translate(_HALF)
    return _NUMBER.search(half) is not None and not _LABELS.sub("", _NUMBER.sub("", half))


def _apart(text: str) -> str:
    """Return a text with a space between number and code where they were written as one."""
    number = _NUMBER.search(text.translate(_HALF))
    if number is None or is_ticket_number(number[0].upper()) or not is_ticket_number(number[0][:-_CODE].upper()):
        return text
    cut = number.end() - _CODE
    return f"{text[:cut]} {text[cut:]}"


def _own(text: str, half: str) -> tuple[str, str]:
    """Return what is not of a receipt of ours, as it was typed and in half width."""
    if _RECEIPT.search(half) is None:
        return text, half
    lines = zip(text.split("\n"), half.split("\n"), strict=True)
    kept = [(line, same) for line, same in lines if _OURS.fullmatch(same.strip()) is None]
    return "\n".join(line for line, _ in kept), "\n".join(same for _, same in kept)


def _code(beside: str) -> str:
    """Return the code in a text without numbers: what is called so, else six digits, else all digits that there are."""
    if labelled := _LABELLED.search(beside):
        return labelled[1]
    if alone := _ALONE.search(beside):
        return alone[0]
    bare = _BARE.search(beside)
    return bare[0] if bare and not _rest(beside, bare[0]) else ""


def _rest(beside: str, code: str) -> str:
    """Return what is left without the code and the labels."""
    return _LABELS.sub("", _standing(code).sub("", beside))


def _standing(code: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![0-9]){code}(?![0-9])")


def _hidden(text: str, half: str, code: str) -> str:
    for found in reversed([*_standing(code).finditer(half)]):
        text = text[:found.start()] + HIDDEN + text[found.end():]
    return text.strip()
