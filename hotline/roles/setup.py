"""What the intake role carries for administrators: people, the set-up of the house, the audit."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import web

from agent_ui import audit_api, people_api, setup_api
from agent_ui.accounts import Accounts
from agent_ui.identity import AccountPolicy
from agent_ui.people import People
from agent_ui.setup import CategoryRow, Compared, DayOff, Days, InForce, Model, Models
from channels.openapi_document import Operation
from hotline.core import Core
from hotline.days import unusual
from hotline.deadlines import WorkingTime
from hotline.policy import Policy
from hotline.promises import UNITS
from hotline.roles.parts import emergency_timers
from hotline.store.calendars import CalendarStore
from hotline.store.lessons import corrected_tickets
from hotline.store.people import PeopleStore
from hotline.store.queues import QueueStore
from hotline.terms import LABELS, Priority
from triage.card import NEVER, Card, EncoderCard
from triage.encoder import CARD as ENCODER_CARD
from triage.lessons import lesson_of
from triage.linear import CARD, PREVIOUS
from triage.model_card import MODEL_CARD
from triage.shadow import compare, file_of, read_pairs, truth_of

OPERATIONS: tuple[Operation, ...] = (
    *people_api.OPERATIONS, *setup_api.OPERATIONS, *audit_api.OPERATIONS,
)
_TRIAGE = {
    "dispatch": "自动派单的最低把握", "tie": "与次优部门的最小差距", "emergency": "判为紧急的概率",
    "unclear": "请人判断的概率",
    "doubt": "低于它时规则判的紧急改为请人判断",
    "passage": "长文中一段判为紧急的概率", "passage_unclear": "长文中一段请人判断的概率",
    "precision": "自动派单的目标准确率",
}


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes of administrators."""
    people = People(PeopleStore(core.pool), accounts, units=lambda: core.rules().directory.units)
    api = setup_api.SetupApi(
        Told(core, accounts.policy), accounts=accounts, calendars=CalendarStore(core.pool),
        queues=QueueStore(core.pool), note=core.audit.note, clock=core.clock,
    )
    return [
        *people_api.routes(people, accounts=accounts), *setup_api.routes(api),
        *audit_api.routes(core.audit, accounts=accounts),
    ]


class Told:
    """What the house tells of itself."""

    def __init__(self, core: Core, policy: AccountPolicy) -> None:
        self._core, self._policy = core, policy

    def categories(self) -> list[CategoryRow]:
        """Return the categories."""
        rules = self._core.directories.in_force().rules
        return [
            CategoryRow(
                code=one.code, l1=one.l1, l1_name=one.l1_name, l2=one.l2,
                leads=tuple(dict.fromkeys(rule.lead for rule in rules.get((one.l1, one.l2), ()))),
            ) for one in self._core.city.categories
        ]

    def thresholds(self) -> list[InForce]:
        """Return figures of clocks, waits, alarms and triage. Reads the model's card."""
        return [*_clocks(self._core.policy), *_limits(self._core), *_triage(Path(self._core.settings.model_dir))]

    def security(self) -> list[InForce]:
        """Return figures of the identity."""
        policy, where = self._policy, "hotline.toml"
        needed = "、".join(sorted(policy.second_factor)) or "无"
        told = [
            ("登录", "须用动态验证码的角色", needed), ("登录", "连续失败几次后锁定", f"{policy.max_failures}次"),
            ("登录", "首次锁定", _span(policy.locked_for)), ("登录", "最长锁定", _span(policy.longest_lock)),
            ("会话", "无操作退出", _span(policy.idle)), ("会话", "最长时间", _span(policy.life)),
            ("密码", "更换周期", _span(policy.password_age) if policy.password_age else "不要求"),
            ("密码", "不得重复的旧密码", f"{policy.history}个"),
        ]
        return [InForce(group=group, name=name, value=value, source=where) for group, name, value in told]

    def days(self, year: int, own: list[DayOff]) -> Days:
        """Return a year's days; `own` are those set here."""
        mine = tuple(one for one in own if one.day.year == year)
        names = {one.day: one.name for one in mine}
        calendar = self._core.policy.calendar
        days = tuple(DayOff(day=day, off=off, name=names.get(day, "")) for day, off in unusual(calendar, year))
        return Days(year=year, announced=year in calendar.known, days=days, own=mine)

    async def models(self) -> Models:
        """Return the models that are here, and how they compare."""
        settings = self._core.settings
        places = [("present", Path(settings.model_dir)), ("previous", Path(settings.model_dir) / PREVIOUS)]
        if settings.shadow_dir:
            places.append(("shadow", Path(settings.shadow_dir)))
        found = await asyncio.to_thread(lambda: [one for one in map(_model, places) if one is not None])
        return Models(models=tuple(found), compared=await self._compared())

    async def _compared(self) -> Compared | None:
        settings = self._core.settings
        if not settings.shadow_dir:
            return None
        file = file_of(settings.data_path, Path(settings.model_dir), Path(settings.shadow_dir))
        pairs = await asyncio.to_thread(read_pairs, file)
        if not pairs:
            return None
        directory = self._core.directories.in_force()
        tickets = corrected_tickets(self._core.pool, whole=True)
        lessons = [lesson_of(events, directory) async for events in tickets]
        found = compare(pairs, truth_of(lesson for lesson in lessons if lesson is not None))
        return Compared(
            texts=found.texts, same_category=found.same_category, same_verdict=found.same_verdict,
            dispatched=found.dispatched, alarms=found.alarms, judged=found.judged,
            pairs=tuple((present, shadow, count) for (present, shadow), count in found.pairs),
        )


def _span(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    for size, unit in ((86_400, "天"), (3600, "小时"), (60, "分钟")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}秒"


def _time(allowance: WorkingTime | None) -> str:
    return "–" if allowance is None else f"{allowance.amount}{UNITS[allowance.unit]}"


def _clocks(policy: Policy) -> list[InForce]:
    where, found = "city.toml", list[tuple[str, str, str]]()
    for priority in Priority:
        rules, group = policy.rules_of(priority), f"{priority.name}时限"
        found += [
            (group, "签收", _time(rules.sign)), (group, "首次联系", _time(rules.contact)),
            (group, "办结", _time(rules.completion_default)),
            *((group, f"办结({LABELS[kind]})", _time(one)) for kind, one in rules.completion.items()),
        ]
    found += [
        ("窗口", "退单", _time(policy.return_window)), ("窗口", "110退回", _time(policy.police_return_window)),
        ("窗口", "回访", _time(policy.follow_up)), ("窗口", "未接来电回拨", _time(policy.callbacks.within)),
        ("窗口", "会话答复", _time(policy.chat_answer)),
        *(
            ("承诺办结", f"{len(one.matters)}项({one.version}, {one.effective_from}起)", _time(one.completion))
            for one in policy.promises
        ),
        ("灯", "黄灯", f"{policy.yellow_percent}%"),
        *(("灯", f"第{level}级督办", f"超期{_time(one)}") for level, one in enumerate(policy.supervision, start=1)),
    ]
    return [InForce(group=group, name=name, value=value, source=where) for group, name, value in found]


def _limits(core: Core) -> list[InForce]:
    settings = core.settings
    timers = emergency_timers(core.city, settings)
    files = ("city.toml", "hotline.toml")
    told = [
        ("紧急", "研判", f"{timers.verdict_within:g}秒", "city.toml"),
        ("紧急", "110确认", f"{timers.acknowledge_within:g}秒", files[settings.police_alarm_after > 0]),
        ("紧急", "110签收", f"{timers.sign_within:g}秒", files[settings.police_sign_alarm_after > 0]),
        ("流量", "每个来源每分钟", f"{settings.web_rate}件", "hotline.toml"),
        ("流量", "每位市民每分钟", f"{settings.citizen_rate}件" if settings.citizen_rate else "不限", "hotline.toml"),
        ("流量", "每个令牌每分钟", f"{settings.token_rate}次" if settings.token_rate else "不限", "hotline.toml"),
    ]
    return [InForce(group=group, name=name, value=value, source=source) for group, name, value, source in told]


def _triage(models: Path) -> list[InForce]:
    file = models / ENCODER_CARD if (models / ENCODER_CARD).exists() else models / CARD
    if not file.exists():
        return []
    limits = _card(file).thresholds
    return [
        InForce(group="智能分类", name=word, value=_told(getattr(limits, name)), source=file.name)
        for name, word in _TRIAGE.items()
    ]


def _told(limit: float) -> str:
    return "不启用" if limit >= NEVER else f"{limit:.3f}"


def _card(file: Path) -> Card:
    if file.name == ENCODER_CARD:
        return msgspec.json.decode(file.read_bytes(), type=EncoderCard).card
    return msgspec.json.decode(file.read_bytes(), type=Card)


def _model(place: tuple[str, Path]) -> Model | None:
    name, folder = place
    if not (folder / CARD).exists():
        return None
    encoder, readme = folder / ENCODER_CARD, folder / MODEL_CARD
    return Model(
        place=name, version=_card(folder / CARD).version,
        encoder=msgspec.json.decode(encoder.read_bytes(), type=EncoderCard).version if encoder.exists() else "",
        card=readme.read_text(encoding="utf-8") if readme.exists() else "",
    )
