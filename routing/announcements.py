"""What a caller who waits is told: place and expected wait, as names of sounds in the order of speaking. Pure.

Sounds are small, so that every number can be said; their texts are in `routing.prompts`. Numbers are read as a language
does: 二十三 is two, ten, three; twenty-three is twenty, three.
"""

from __future__ import annotations

from math import ceil

POSITION, NEXT, CALLERS = "hotline-position", "hotline-next", "hotline-callers"
WAIT, MINUTES, SOON, LONG = "hotline-wait", "hotline-minutes", "hotline-soon", "hotline-long"
KEEP = "hotline-keep"
LONGEST_TOLD = 30
"""Minutes; beyond them a number would only be a guess."""
CHINESE = frozenset({"", "zh", "cmn", "yue", "hak", "nan"})
"""Languages that read numbers as Chinese does; "" is the PBX's own."""


def expected_wait(position: int, *, agents: int, handling: float) -> float:
    """Return seconds until the caller at a place (1 is next) gets through.

    Each of the `agents` who may take them becomes free once in `handling` seconds, so one place is left every
    handling ÷ agents seconds. Infinite where nobody is there.
    """
    return position * handling / agents if agents > 0 else float("inf")


def announcement(position: int, wait: float, *, language: str = "", keep: bool = True) -> tuple[str, ...]:
    """Return the sounds that tell a place, the seconds of wait still expected, and the key that keeps it."""
    if position <= 1:
        place: tuple[str, ...] = (NEXT,)
    else:
        place = (POSITION, *number(min(position - 1, 999), language=language), CALLERS)
    return (*place, *_wait(wait, language), *((KEEP,) if keep else ()))


def _wait(wait: float, language: str) -> tuple[str, ...]:
    if wait <= 60:
        return (SOON,)
    if wait > LONGEST_TOLD * 60:
        return (LONG,)
    return (WAIT, *number(ceil(wait / 60), language=language), MINUTES)


def number(value: int, *, language: str = "") -> tuple[str, ...]:
    """Return the sounds of a number from 0 to 999."""
    if not 0 <= value <= 999:
        raise ValueError(f"{value} is not said: numbers go from 0 to 999")
    return _chinese(value) if language in CHINESE else _english(value)


def _said(value: int) -> str:
    return f"hotline-n{value}"


def _chinese(value: int) -> tuple[str, ...]:
    hundreds, tens, ones = value // 100, value // 10 % 10, value % 10
    if value < 20:
        return (_said(value),) if value <= 10 else (_said(10), _said(ones))
    said = [_said(hundreds), _said(100)] if hundreds else []
    if tens:
        said += [_said(tens), _said(10)]
    elif hundreds and ones:
        said.append(_said(0))
    return (*said, *((_said(ones),) if ones else ()))


def _english(value: int) -> tuple[str, ...]:
    if value <= 20:
        return (_said(value),)
    hundreds, rest = divmod(value, 100)
    said = [_said(hundreds), _said(100)] if hundreds else []
    if rest > 20:
        said.append(_said(rest // 10 * 10))
        rest %= 10
    return (*said, *((_said(rest),) if rest else ()))
