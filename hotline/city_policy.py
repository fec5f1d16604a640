"""A city's clocks, waits, follow-up and calendar, read from its city.toml and calendar.csv."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, time
from itertools import pairwise
from typing import Any

from hotline.calendar import statutory_days, statutory_years
from hotline.city_files import CityFiles
from hotline.days import announced
from hotline.deadlines import Unit as TimeUnit
from hotline.deadlines import WorkCalendar, WorkingTime
from hotline.policy import Allowances, CallbackRules, FollowUpRules, Policy
from hotline.promises import Matter, Promises
from hotline.supervision import Supervision
from hotline.terms import Kind, Priority, State


def policy_of(reader: CityFiles, settings: Mapping[str, Any], categories: Collection[tuple[str, str]]) -> Policy:
    """Return the figures of city.toml and calendar.csv; mistakes in other files are noted with the reader.

    Raises:
        KeyError, ValueError, TypeError: a table is missing or wrong; `CityFiles.attempt` notes it.
    """
    ceiling = dict(settings["ceiling"])
    windows = settings["windows"]
    return Policy(
        calendar=_calendar(reader, settings["calendar"]),
        allowances={priority: _allowances(settings["clocks"][priority.value]) for priority in Priority},
        ceiling_default=_time(ceiling.pop("default")),
        ceiling={Kind(kind): _time(text) for kind, text in ceiling.items()},
        return_window=_time(windows["return"]),
        police_return_window=_time(windows["police_return"]),
        follow_up=_time(windows["follow_up"]),
        follow_up_rules=_follow_up(settings.get("follow_up", {})),
        promises=tuple(_promises(reader, one, categories) for one in settings.get("promises", ())),
        chat_answer=_time(windows["chat_answer"]) if "chat_answer" in windows else None,
        callbacks=_callbacks(settings.get("callbacks", {})),
        yellow_percent=_percent(settings.get("lights", {}).get("yellow_percent", 80)),
        supervision=_supervision(settings.get("lights", {})),
        waits=_waits({name: text for name, text in settings.get("waits", {}).items() if name != "urgent"}),
        urgent_waits=_waits(settings.get("waits", {}).get("urgent", {})),
    )


def _callbacks(table: Mapping[str, Any]) -> CallbackRules:
    default = CallbackRules()
    opens, closes = table.get("day", [f"{moment:%H:%M}" for moment in default.day])
    gaps = tuple(int(minutes) for minutes in table.get("gap_minutes", default.gap_minutes))
    rules = CallbackRules(
        within=_time(table["within"]) if "within" in table else default.within, gap_minutes=gaps,
        hold_minutes=int(table.get("hold_minutes", default.hold_minutes)),
        day=(time.fromisoformat(opens), time.fromisoformat(closes)),
    )
    if rules.day[0] >= rules.day[1] or min((rules.hold_minutes, *gaps)) < 1:
        raise ValueError("[callbacks] day 应先起后止, hold_minutes 和 gap_minutes 应为正整数")
    return rules


def _percent(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 99:
        raise ValueError("[lights] yellow_percent 应为1至99的整数")
    return value


def _supervision(table: Mapping[str, Any]) -> tuple[WorkingTime, ...]:
    given = table.get("supervision", ("0 working_days", "2 working_days", "5 working_days"))
    levels = tuple(_time(text) for text in given)
    if len(levels) != len(Supervision) - 1:
        raise ValueError(f"[lights] supervision 应有{len(Supervision) - 1}级")
    return levels


def _waits(table: Mapping[str, str]) -> dict[State, WorkingTime]:
    """A misspelt state is a mistake: a wait that never comes would not be noticed."""
    return {State(name): _time(text) for name, text in table.items()}


def _follow_up(table: Mapping[str, Any]) -> FollowUpRules:
    default = FollowUpRules()
    periods = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in table.get("periods", ()))
    if any(opens >= closes for opens, closes in periods) or list(periods) != sorted(periods):
        raise ValueError("[follow_up] periods 应按先后排列, 每段先起后止")
    return FollowUpRules(
        periods=periods or default.periods, link=_time(table["link"]) if "link" in table else default.link,
        max_redos=int(table.get("max_redos", default.max_redos)),
    )


def _allowances(table: Mapping[str, Any]) -> Allowances:
    def optional(name: str) -> WorkingTime | None:
        return _time(table[name]) if name in table else None

    return Allowances(
        sign=optional("sign"),
        contact=optional("contact"),
        on_site=optional("on_site"),
        completion={Kind(kind): _time(text) for kind, text in table.get("completion", {}).items()},
        completion_default=optional("completion_default"),
    )


def _promises(reader: CityFiles, table: Mapping[str, Any], categories: Collection[tuple[str, str]]) -> Promises:
    name, matters = str(table["file"]), dict[Matter, str]()
    for where, row, _ in reader.rows(name, ("l1", "l2", "kind", "note")):
        kind = reader.attempt(where, lambda row=row: Kind(row["kind"]) if row["kind"] else None, None)  # type: ignore[misc]
        matter = Matter(row["l1"], row["l2"], kind)
        if (row["l1"], row["l2"]) not in categories:
            reader.wrong.append(f"{where}: 没有事项 {row['l1']} {row['l2']}")
        elif matter in matters:
            reader.wrong.append(f"{where}: 重复")
        matters[matter] = row["note"]
    since = table["effective_from"]
    if type(since) is not date:
        raise ValueError("[[promises]] 的 effective_from 应为日期, 如 2026-01-01")
    completion = _time(table["completion"])
    if completion.unit is not TimeUnit.WORKING_DAYS:  # extensions are asked for in working days
        raise ValueError("[[promises]] 的 completion 应以工作日计, 如 2 working_days")
    return Promises(version=str(table["version"]), effective_from=since, completion=completion, matters=matters)


def _time(text: str) -> WorkingTime:
    amount, _, unit = text.partition(" ")
    if not amount.isdigit():
        raise ValueError(f"“{text}”应为数字加单位, 如 2 working_days")
    return WorkingTime(int(amount), TimeUnit(unit.strip()))


def _working_periods(given: Sequence[Sequence[str]]) -> tuple[tuple[time, time], ...]:
    """The last one ends the working day; without one no clock would ever run out."""
    periods = tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in given)
    in_order = all(opens < closes for opens, closes in periods) and all(a[1] <= b[0] for a, b in pairwise(periods))
    if not periods or not in_order:
        raise ValueError("[calendar] periods 应至少一段, 按先后排列, 互不重叠, 每段先起后止")
    return periods


def _calendar(reader: CityFiles, table: Mapping[str, Any]) -> WorkCalendar:
    holidays, make_up_days = statutory_days()
    set_days = set[date]()
    for where, row, _ in reader.rows(str(table["overrides"]), ("date", "working", "note")):
        day = reader.attempt(where, lambda row=row: date.fromisoformat(row["date"]), None)  # type: ignore[misc]
        if row["working"] not in ("yes", "no"):
            reader.wrong.append(f"{where}: working 应为 yes 或 no")
        elif day is not None:
            set_days.add(day)
            (make_up_days if row["working"] == "yes" else holidays).add(day)
            (holidays if row["working"] == "yes" else make_up_days).discard(day)
    return WorkCalendar(
        periods=_working_periods(table["periods"]), holidays=frozenset(holidays), make_up_days=frozenset(make_up_days),
        known=announced(set_days) | statutory_years(),
    )
