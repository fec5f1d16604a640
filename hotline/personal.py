"""Personal data in what the public will read (domain.md section 8: a public reply carries none). Pure.

What is certain is refused; what only looks like it is flagged, and the centre judges when it reviews the reply. An
office's landline is no personal data, the citizen's own is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from agent_ui.masking import HAN_NAME, ID_CARD, LANDLINE, MOBILE, OLD_ID, cards_in
from hotline import commands as c
from hotline.errors import RuleViolation
from hotline.ticket import Ticket

_EMAIL = re.compile(r"[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][·. ]?[0-9A-Z]{5,6}(?![0-9A-Za-z])"
)
_PERSON = re.compile(r"[\u4e00-\u9fff]某?(?:先生|女士|小姐)")
_DOOR = re.compile(r"[0-9]+(?:栋|幢|号楼|座)[^,。;,;\s]{0,12}?[0-9]{2,4}(?:房|室|号)")


class Personal(msgspec.Struct, frozen=True):
    """What was found, as Chinese words with the thing half hidden: `certain` is refused, `doubtful` flagged."""

    certain: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()


def personal_data(text: str, *names: str, phone: str = "") -> Personal:
    """Look for personal data in a text for the public; `names` and `phone` (E.164) are the citizen's own."""
    certain = [
        *_named("身份证号", ID_CARD.finditer(text)), *_named("身份证号", OLD_ID.finditer(text)),
        *_named("手机号", MOBILE.finditer(text)),
        *_named("银行卡号", cards_in(text)),
        *_named("诉求人电话", (m for m in LANDLINE.finditer(text) if _is_own(m[0], phone))),
        *(f"诉求人姓名{name[:1]}*" for name in names if HAN_NAME.fullmatch(name) and name in text),
    ]
    doubtful = [
        *_named("邮箱", _EMAIL.finditer(text)), *_named("车牌", _PLATE.finditer(text)),
        *_named("称呼", _PERSON.finditer(text)), *_named("门牌", _DOOR.finditer(text)),
    ]
    return Personal(tuple(dict.fromkeys(certain)), tuple(dict.fromkeys(doubtful)))


def checked(command: c.Command, ticket: Ticket) -> c.Command:
    """Return a command as it may be decided on: a reply with its flags, everything else as it is.

    Raises:
        RuleViolation (`personal_data`): the public text of a reply, or the title of a wish that is to be published,
            carries personal data; the detail says what.
    """
    match command:
        case c.Reply(public=text):
            found = _public(text, ticket, "公开答复", "请改写,或移到内部办理情况")
            return msgspec.structs.replace(command, flags=found.doubtful)
        case c.PublishWish(title=title):
            _public(title, ticket, "公开的微心愿", "请改写")
    return command


def _public(text: str, ticket: Ticket, where: str, mend: str) -> Personal:
    found = personal_data(text, *ticket.names, phone=ticket.appeal.citizen.phone)
    if found.certain:
        what = "、".join(found.certain)
        raise RuleViolation(f"{where}含有个人信息({what}):{mend}", error_id="personal_data")
    return found


def _named(what: str, found: Iterable[re.Match[str]]) -> list[str]:
    return [f"{what}{_half(match[0])}" for match in found]


def _half(text: str) -> str:
    """Show enough to find it again in one's own text, and no more."""
    return text if len(text) <= 4 else f"{text[:3]}…{text[-2:]}"


def _is_own(shown: str, phone: str) -> bool:
    own = phone.removeprefix("+86")
    return own != "" and re.sub(r"\D", "", shown).lstrip("0").endswith(own)
