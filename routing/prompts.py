"""The texts of everything that the telephone says, by language and name of the sound. Pure.

A centre records them with its own speaker (`python -m hotline prompts --list`), or lets them be made.
"""

from __future__ import annotations

from collections.abc import Mapping

_NUMBERS = dict(enumerate("零一二三四五六七八九十")) | {100: "百"}
_ENGLISH = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)
_TENS = {30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety", 100: "hundred"}

ZH: Mapping[str, str] = {
    "hotline-greeting": "您好,欢迎致电12345政务服务便民热线。通话将会录音。如遇危险,请直接拨打110、119或120。",
    "hotline-menu": "普通话服务请按1,粤语服务请按2,英语服务请按3。",
    "hotline-position": "您前面还有",
    "hotline-callers": "位来电。",
    "hotline-next": "您是下一位。",
    "hotline-wait": "预计等待",
    "hotline-minutes": "分钟。",
    "hotline-soon": "预计一分钟内接通。",
    "hotline-long": "目前来电较多,等待时间较长。",
    "hotline-keep": "按1可以挂机,我们将按您的排队位置回拨。",
    "hotline-callback": "已为您保留排队位置,您可以挂机,轮到您时我们会回拨。",
    "hotline-full": "目前来电太多,我们稍后会主动回拨给您。如遇危险,请直接拨打110、119或120。再见。",
} | {f"hotline-n{n}": text for n, text in _NUMBERS.items()}

EN: Mapping[str, str] = {
    "hotline-greeting": "Welcome to the 12345 government service hotline. Calls are recorded. "
                        "In danger, please dial 110, 119 or 120.",
    "hotline-menu": "For Mandarin press 1, for Cantonese press 2, for English press 3.",
    "hotline-position": "There are",
    "hotline-callers": "callers before you.",
    "hotline-next": "You are next.",
    "hotline-wait": "The expected wait is",
    "hotline-minutes": "minutes.",
    "hotline-soon": "You should get through within a minute.",
    "hotline-long": "We have many callers, and the wait is long.",
    "hotline-keep": "Press 1 to hang up and be called back in your turn.",
    "hotline-callback": "Your place is kept. You may hang up now; we call you back in your turn.",
    "hotline-full": "We have too many callers at the moment and will call you back. "
                    "In danger, please dial 110, 119 or 120. Good-bye.",
} | {f"hotline-n{n}": text for n, text in [*enumerate(_ENGLISH), *_TENS.items()]}

PROMPTS: Mapping[str, Mapping[str, str]] = {"zh": ZH, "yue": ZH, "en": EN}
"""Language (as the PBX names its folder) → sound → text."""
