"""The metrics (指标): each named once, with what its numerator and its denominator count. Pure data.

The figures themselves come from SQL (`store/sql/metrics.sql`, `store/sql/calls.sql`) over the tally of the event log
(`hotline.tally`) and over the calls. `docs/metrics.md` is made from this list; a test compares them.
Sources: domain.md section 6 (国办函〔2025〕66号, GB/T 33358-2016); `[P]` is this project's own reading.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hotline.terms import LABELS


class Metric(StrEnum):
    """Every metric; the first group is counted from tickets, the second from calls."""

    DIRECT = "direct"
    SIGN = "sign"
    CONTACT = "contact"
    COMPLETION = "completion"
    FOLLOWED_UP = "followed_up"
    SOLVED = "solved"
    SATISFIED = "satisfied"
    ONE_PASS = "one_pass"  # noqa: S105 - no password, but an appeal settled at the first go
    RETURNED = "returned"
    REDONE = "redone"
    ACCURATE = "accurate"
    DURATION = "duration"
    CHAT_ANSWERED = "chat_answered"

    CONNECTED = "connected"
    SERVICE_LEVEL = "service_level"
    SERVICE_LEVEL_STAYED = "service_level_stayed"
    ASA = "asa"
    ABANDONED = "abandoned"
    CALLED_BACK = "called_back"
    AHT = "aht"
    OCCUPANCY = "occupancy"


class Volume(StrEnum):
    """What is counted as it happens, without a denominator."""

    RECEIVED = "received"
    EMERGENCIES = "emergencies"
    DISPATCHED = "dispatched"
    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    CLOSED = "closed"
    URGED = "urged"
    SUPERVISED = "supervised"
    EXTENDED = "extended"


class Reason(StrEnum):
    """Why a ticket is left out of a metric (剔除原因); each needs a note, and a supervisor."""

    UNREASONABLE = "unreasonable"
    BEYOND_DUTY = "beyond_duty"
    FORCE_MAJEURE = "force_majeure"
    OTHER = "other"


class Unit(StrEnum):
    """What a metric's value is."""

    RATIO = "ratio"
    SECONDS = "seconds"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """One metric: value = numerator ÷ denominator, nothing while the denominator is 0.

    Attributes:
        when: the moment by which it belongs to a day or hour.
        goal: what a text or a promise asks for; `at_most` where less is better.
    """

    metric: Metric
    label: str
    numerator: str
    denominator: str
    when: str
    unit: Unit = Unit.RATIO
    goal: float | None = None
    at_most: bool = False


_M = Metric
_CALL = "来电要求人工服务的时刻"
DEFINITIONS: dict[Metric, Definition] = {d.metric: d for d in (
    Definition(
        metric=_M.DIRECT, label="直接答复率", numerator="首次出口为直接答复的工单", when="首次出口的时刻",
        denominator="首次出口为直接答复或派单的工单",
    ),
    Definition(
        metric=_M.SIGN, label="按时签收率", numerator="在签收时限内签收的派单", when="签收时限届满的时刻",
        denominator="已签收的派单,加上签收时限已过仍未签收的派单(经批准退回、改派的不计)",
    ),
    Definition(
        metric=_M.CONTACT, label="响应率", numerator="在首次联系时限内联系了诉求人的派单", when="派单的时刻",
        denominator="设有首次联系时限的派单(经批准退回、改派的不计;时限届满前收回、移交、并单、撤单且尚未联系的不计)",
    ),
    Definition(
        metric=_M.COMPLETION, label="按时办结率", numerator="在办理时限内办复的派单", when="办理时限届满的时刻",
        denominator="已办复的派单,加上办理时限已过仍未办复的派单(经批准退回、改派的不计;暂停期间不走时)",
    ),
    Definition(
        metric=_M.FOLLOWED_UP, label="回访率", numerator="已回访的办复(含多次联系不上的)", when="办复审核通过的时刻",
        denominator="审核通过、应当回访的办复",
    ),
    Definition(
        metric=_M.SOLVED, label="解决率", numerator="诉求人表示已解决的有效回访", when="回访的时刻", goal=0.92,
        denominator="有效回访:联系上诉求人,且其说明是否解决",
    ),
    Definition(
        metric=_M.SATISFIED, label="满意率", numerator="非常满意、满意、基本满意的有效评价", when="评价的时刻",
        denominator="有效评价:每次办理以诉求人最后一次评价为准",
    ),
    Definition(
        metric=_M.ONE_PASS, label="一次办结率", numerator="未经重办即办结的工单", when="办结的时刻",
        denominator="已办结的工单(重新受理后再办结的,以最后一次为准)",
    ),
    Definition(
        metric=_M.RETURNED, label="退单率", numerator="承办单位申请退单的派单", when="派单的时刻",
        denominator="派单(重办、裁定不计)", at_most=True,
    ),
    Definition(
        metric=_M.REDONE, label="重办率", numerator="转入重办的有效回访", when="回访的时刻",
        denominator="有效回访:联系上诉求人", at_most=True,
    ),
    Definition(
        metric=_M.ACCURATE, label="派单准确率", when="首次派单的时刻",
        numerator="首次派单减去经批准退单后改派的工单", denominator="首次派单的工单",
    ),
    Definition(
        metric=_M.DURATION, label="平均办结时长", numerator="从收到诉求到办结的秒数之和", when="办结的时刻",
        denominator="已办结的工单", unit=Unit.SECONDS, at_most=True,
    ),
    Definition(
        metric=_M.CHAT_ANSWERED, label="会话及时答复率", when="会话答复时限届满的时刻",
        numerator="在会话答复时限(3分钟)内由人工答复(回话、直接答复、追问)的会话来言(微信、网上会话;系统回执不算答复)",
        denominator="由人工答复的会话来言,加上会话答复时限已过仍未答复的"
                    "(在时限内未答复而派单、移交、并单、不予受理,或诉求人撤单的,不计)",
    ),
    Definition(
        metric=_M.CONNECTED, label="接通率", numerator="人工接听的来电", denominator="要求人工服务、已有结果的来电",
        when=_CALL, goal=0.95,
    ),
    Definition(
        metric=_M.SERVICE_LEVEL, label="15秒接通率", numerator="15秒内人工接听的来电", when=_CALL,
        denominator="要求人工服务、已有结果的来电(含放弃)",
    ),
    Definition(
        metric=_M.SERVICE_LEVEL_STAYED, label="15秒接通率(不含放弃)", numerator="15秒内人工接听的来电", when=_CALL,
        denominator="要求人工服务且未放弃、已有结果的来电",
    ),
    Definition(
        metric=_M.ASA, label="平均应答时长", numerator="已接听来电的等待秒数之和", denominator="人工接听的来电",
        when=_CALL, unit=Unit.SECONDS, goal=15, at_most=True,
    ),
    Definition(
        metric=_M.ABANDONED, label="放弃率", numerator="接听前由来电人挂断的来电", when=_CALL, at_most=True,
        denominator="要求人工服务、已有结果的来电",
    ),
    Definition(
        metric=_M.CALLED_BACK, label="漏接回拨率", numerator="已回拨的漏接来电", when=_CALL, goal=1.0,
        denominator="漏接来电:要求人工服务而未接听",
    ),
    Definition(
        metric=_M.AHT, label="平均处理时长", numerator="已结束通话的通话(含保持)与话后处理秒数之和", when=_CALL,
        denominator="人工接听、已处理完毕的来电", unit=Unit.SECONDS, at_most=True,
    ),
    Definition(
        metric=_M.OCCUPANCY, label="坐席利用率", numerator="坐席处于通话、话后的秒数", when="各时段",
        denominator="坐席处于示闲、振铃、通话、话后的秒数",
    ),
)}

TELEPHONE = tuple(metric for metric in Metric if list(Metric).index(metric) >= list(Metric).index(_M.CONNECTED))
"""Metrics that are counted from calls."""
FROM_TICKETS = tuple(metric for metric in Metric if metric not in TELEPHONE)
"""Metrics that are counted from the event log; a ticket can be excluded from each."""
COLUMNS: tuple[str, ...] = (
    *(volume.value for volume in Volume),
    *(f"{metric}_{part}" for metric in FROM_TICKETS for part in ("num", "den", "out")),
)
"""The columns of the tally, in the order of `tally_rollup`: `…_out` counts what exclusions leave out."""

METRIC_LABELS: dict[StrEnum, str] = {
    **{metric: definition.label for metric, definition in DEFINITIONS.items()},
    Volume.RECEIVED: "受理诉求", Volume.EMERGENCIES: "紧急诉求", Volume.DISPATCHED: "派单", Volume.ANSWERED: "直接答复",
    Volume.HANDED_OFF: "移交110等", Volume.REJECTED: "不予受理", Volume.WITHDRAWN: "撤单", Volume.MERGED: "并单",
    Volume.CLOSED: "办结", Volume.URGED: "催办", Volume.SUPERVISED: "督办", Volume.EXTENDED: "延期",
    Reason.UNREASONABLE: "不合理诉求", Reason.BEYOND_DUTY: "超出职责", Reason.FORCE_MAJEURE: "不可抗力",
    Reason.OTHER: "其他",
}


def name_of(term: StrEnum) -> str:
    """Return the Chinese name of a metric, a volume, a reason, or any other term."""
    return METRIC_LABELS.get(term) or LABELS.get(term, term.value)


def value_of(numerator: float, denominator: float) -> float | None:
    """Return numerator ÷ denominator, None where nothing was counted."""
    return numerator / denominator if denominator else None


def meets(definition: Definition, value: float | None) -> bool | None:
    """Tell whether a value meets its goal; None without a goal or a value."""
    if definition.goal is None or value is None:
        return None
    return value <= definition.goal if definition.at_most else value >= definition.goal
