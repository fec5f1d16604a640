"""Caller numbers in any form → E.164, so that one caller is one citizen (`+8613800138000`).

Understands +86, 0086, 86, area codes with and without brackets, local numbers of the city, spaces and dashes, full
width digits, and digits as people speak them (幺三八…, 洞, 拐, 勾, 两). Checked with Google's numbering data
(`phonenumbers`). The common form, a bare mobile number, is recognised without it: it stands on the hot path.
The city's area code is set once, where the process is put together: every codec reads numbers of the same city.
"""

from __future__ import annotations

import unicodedata

import phonenumbers

from hotline.errors import InvalidInput

_SPOKEN = str.maketrans({
    "〇": "0", "零": "0", "洞": "0", "一": "1", "幺": "1", "壹": "1", "二": "2", "两": "2", "贰": "2", "三": "3",
    "叁": "3", "四": "4", "肆": "4", "五": "5", "伍": "5", "六": "6", "陆": "6", "七": "7", "拐": "7", "柒": "7",
    "八": "8", "捌": "8", "九": "9", "勾": "9", "玖": "9", "加": "+", "—": "-", "–": "-", "－": "-",
    "、": " ", "，": " ", ",": " ", "。": " ", ".": " ", "·": " ",
})
_WITHHELD = frozenset({"anonymous", "unknown", "private", "restricted", "unavailable", "未知", "未知号码", "匿名"})
_MAX = 64
_home: list[str] = []


def live_in(area_code: str) -> None:
    """Let numbers without an area code be of this one, such as 0769, in this process from now on."""
    _home[:] = [area_code]


def home() -> str:
    """Return the city's area code, "" where none was set: then numbers without one are refused."""
    return _home[0] if _home else ""


def _spelled(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(_SPOKEN).strip().lower()
    folded = folded.removeprefix("tel:").removeprefix("sip:").split("@", 1)[0].split(";", 1)[0]
    return "+" + folded[2:] if folded.startswith("00") else folded


def _is_mobile(text: str) -> bool:
    return len(text) == 11 and text.isascii() and text.isdigit() and text[0] == "1" and text[1] in "3456789"


def normalize_phone(text: str) -> str:
    """Return the number in E.164 form, "" for an empty or withheld one.

    Local numbers of 7 or 8 digits are of the city (`live_in`), those without a country code of China.

    Raises:
        InvalidInput: not a number that can be called back.
    """
    if _is_mobile(text):
        return "+86" + text
    if len(text) > _MAX:
        raise InvalidInput(f"phone has {len(text)} characters; a number has at most {_MAX}", field="phone")
    spelled = _spelled(text)
    if not spelled or spelled in _WITHHELD:
        return ""
    digits = "".join(c for c in spelled if c.isdigit())
    if len(digits) in (7, 8) and not spelled.startswith(("+", "0")):
        spelled = f"{home()}{digits}"
    try:
        number = phonenumbers.parse(spelled, "CN")
    except phonenumbers.NumberParseException as error:
        example = f"13800138000 or {home() or '010'}-22830000"
        raise InvalidInput(f"phone is not a telephone number; give it like {example}", field="phone") from error
    if not phonenumbers.is_valid_number(number):
        raise InvalidInput("phone is not a number that can be called; check its digits", field="phone")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
