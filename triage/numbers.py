"""Telephone numbers, ids and plates, written and spoken, with the pauses that people make and programs hear.

幺三八 零零一三 八零零零, 138.0013.8000, (0769)22112345, 粤S幺二三四五, 441900 19900101 1234. That it has so many digits
tells nothing: how it begins, how it is parted and what stands beside it do. Ids must have a right check digit (GB
11643).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

Span = tuple[int, int, str]

_NUMERAL = "零〇一二三四五六七八九幺两洞拐勾"
_SPOKEN = str.maketrans(dict(zip(_NUMERAL, "0012345678912079", strict=True)))
_ANY = f"0-9{_NUMERAL}"
_PAUSE = r"[ ,，、.·・_—–-]"
_SOME = re.compile(rf"[{_ANY}](?:{_PAUSE}{{0,2}}[{_ANY}]){{3}}")
"""Whatever is shorter is no telephone number and no id."""
_LOCAL_RUN = re.compile(rf"[{_ANY}０-９](?:[ ,，、.·・_—–．＿－嗯呃啊-]{{0,3}}[{_ANY}０-９]){{6}}")
"""As people type it, in full width too."""
_RUN = re.compile(r"[0-9](?:[ ,._()–-]{0,3}[0-9]){9,}")
_GAP = r"[ .·・_—–-]{0,3}"
_AREA = r"(?:\(0[1-9][0-9]{1,2}\)|0[1-9][0-9]{1,2})"
_CHINA = r"(?:\(?(?:\+|00)?86[) -]{0,2})?"
_PHONE = re.compile(
    r"(?=[+(0148])(?:(?<![0-9*])(?:"
    rf"{_CHINA}1[3-9][0-9](?:(?:[ -]?[0-9]{{4}}){{2}}|(?P<gap>{_GAP})[0-9]{{4}}(?P=gap)[0-9]{{4}})"
    rf"|{_CHINA}{_AREA}{_GAP}[2-9][0-9]{{6,7}}"
    rf"|(?<![0-9A-Za-z][ -]){_AREA}{_GAP}[2-9][0-9]{{2,3}}[ _.—–-][0-9]{{4}}"
    r"|[48]00[ -]?[0-9]{3}[ -]?[0-9]{4})"
    r"|(?:\+|(?<![0-9*])00)86[) -]{0,2}[1-9][0-9]{1,2}[ -]?[2-9][0-9]{2,3}[ -]?[0-9]{4})(?![0-9])"
)
_PARTED = re.compile(r"(?<![0-9*])(?<![0-9][ _.-])1[ _-]?[3-9](?:[ _-]?[0-9]){9}(?![ _-]?[0-9])")
"""Mobile numbers in other parts than 3, 4 and 4."""
_LOCAL = re.compile(
    r"(?:座机|固话|固定电话|电话(?:号码?)?|传真|热线|联系(?:方式|号码?)?|致电|拨?打|拨|来电)(?:[是为:,号改 ])*"
    rf"((?!20[0-9]{{2}}(?:0[1-9]|1[0-2])[0-3][0-9])[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}|[二三四五六七八][{_NUMERAL}]{{7}})"
    rf"(?![{_ANY}]|[ -]?[元块万亿千百%])"
)
"""Numbers without an area code, after a word that says what they are; a day (20261122) is none."""
_MOST_PARTS = 4
_BREATH = rf"(?:{_PAUSE}|[嗯呃啊]){{0,2}}"
_SPOKEN_MOBILE = re.compile(rf"(?<![{_ANY}*])[1一幺]{_BREATH}[3-9三四五六七八九](?:{_BREATH}[{_ANY}]){{9}}")
_SPOKEN_LINE = re.compile(rf"(?<![{_ANY}*])零(?:{_BREATH}[{_NUMERAL}]){{9,11}}(?![{_NUMERAL}])")
_COUNTED = "楼号栋幢座层室单次点个年月日天元块分位岁人遍台路份期批间户"
_GOES_ON = re.compile(rf"[{_ANY}]{{1,2}}(?![{_ANY}{_COUNTED}])|[{_ANY}]{{3}}")
"""What follows a number at once and makes a longer one of it; 三楼, 两次 do not."""
_BEFORE = re.compile(rf"[{_ANY}]{{3}}{_PAUSE}$")
_LEAST_SPOKEN = 3
_SIGN = f"A-HJ-NP-Za-hj-np-z{_ANY}"
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼] ?[A-HJ-NP-Za-hj-np-z][ .·・•_—-]{0,2}"
    rf"([{_SIGN}]{{6}}|[{_SIGN}]{{4}}[{_SIGN}挂学警港澳])(?![A-Za-z0-9])"
)
_SERIAL = re.compile(
    r"(?=(?:.*[0-9]){3})[A-HJ-NP-Z0-9]{5}|[0-9]{4}[挂学警港澳]"
    r"|[A-HJK][A-HJ-NP-Z0-9][0-9]{3}[0-9A-HJK]|[0-9]{5}[A-HJK]"  # cars that run on electricity
)
_ID = re.compile(rf"(?<![0-9A-Za-z])[1-9](?:{_PAUSE}{{0,2}}[0-9]){{16}}{_PAUSE}{{0,2}}[0-9Xx](?![0-9A-Za-z])")
_SPOKEN_ID = re.compile(rf"(?<![{_ANY}*])[{_NUMERAL}](?:{_BREATH}[{_ANY}]){{16}}{_BREATH}[{_ANY}xX](?![{_ANY}])")
_BORN = re.compile(r"[1-8][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9X]")
_SHOWN = {"phone": (3, 4), "id": (6, 4), "plate": (2, 1)}
_LOCAL_DIGITS = 8
"""Of a telephone number without an area code only the end is shown."""


def numbers_in(clean: str) -> Iterator[Span]:
    """Yield ids, telephones and plates, the surest first; they may overlap."""
    if _SOME.search(clean) is not None:
        yield from ((start, end, "id") for start, end, number in _ids(clean) if _is_id(number))
        yield from ((*found.span(), "phone") for found in _PHONE.finditer(clean))
        yield from ((*found.span(), "phone") for found in _PARTED.finditer(clean) if _well_parted(found[0]))
        yield from ((*found.span(1), "phone") for found in _LOCAL.finditer(clean))
        yield from _spoken(clean)
    for found in _PLATE.finditer(clean):  # of which letters may part the digits: 粤SA1B23
        if _SERIAL.fullmatch(found[1].upper().translate(_SPOKEN)):
            yield *found.span(), "plate"


def parted(text: str) -> bool:
    """Tell whether a text of ASCII may hold a number that is more than digits in a row. Cheap."""
    return any(not run.isdigit() for run in _RUN.findall(text))


def numerous(text: str) -> bool:
    """Tell whether a text, clean or not, may hold a telephone number or an id at all. Cheap."""
    return _LOCAL_RUN.search(text) is not None


def private_in(clean: str) -> Iterator[Span]:
    """Yield for masking what `numbers_in` yields, and mistyped ids, which are as private as right ones."""
    yield from numbers_in(clean)
    yield from ((start, end, "id") for start, end, number in _ids(clean) if _BORN.fullmatch(number))


def _ids(clean: str) -> Iterator[tuple[int, int, str]]:
    for pattern in (_ID, _SPOKEN_ID) if _SOME.search(clean) else ():
        for found in pattern.finditer(clean):
            yield *found.span(), digits_of(found[0])


def _is_id(number: str) -> bool:
    try:
        ric.validate(number)
    except ValidationError:
        return False
    return True


def _well_parted(number: str) -> bool:
    """Tell whether the parts are those of one number: three or four of them, or single digits, and no list."""
    parts = [len(part) for part in re.split(r"[ _-]", number)]
    if set(parts) == {1}:
        return True
    first = parts[0] == 3 or (parts[0] > 3 and " " in number)
    return first and len(parts) <= _MOST_PARTS and min(parts) >= 2


def _spoken(clean: str) -> Iterator[Span]:
    """Yield telephones said in characters, or half in characters as programs write them."""
    yield from ((*found.span(), "phone") for found in _SPOKEN_LINE.finditer(clean))
    last = 0
    for found in _SPOKEN_MOBILE.finditer(clean):
        start, end = found.span()
        inside = start - 1 > last and _BEFORE.search(clean, last, start) is not None
        if inside or _GOES_ON.match(clean, end) or sum(sign in _NUMERAL for sign in found[0]) < _LEAST_SPOKEN:
            continue
        last = end
        yield start, end, "phone"


def digits_of(written: str) -> str:
    """Return the digits of a number as it is written or said."""
    return re.sub(r"[^0-9X]", "", written.upper().translate(_SPOKEN))


def is_mobile(written: str) -> bool:
    """Tell whether a telephone number is a mobile one."""
    return re.fullmatch(r"(?:0{0,2}86)?1[3-9][0-9]{9}", digits_of(written)) is not None


def starred(text: str, spans: Iterable[Span]) -> str:
    """Return `text` with all signs of each span but the first and the last starred out; what parts them stays."""
    signs = list(text)
    for start, end, name in spans:
        head, tail = _SHOWN[name]
        own = [at for at in range(start, end) if text[at].isalnum()]
        for at in own[0 if name == "phone" and len(own) <= _LOCAL_DIGITS else head : -tail]:
            signs[at] = "*"
    return "".join(signs)
