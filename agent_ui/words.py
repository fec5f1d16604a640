"""The Chinese words of the console's page: names of commands and of what they ask for.

The forms themselves are made from the command types, so that a page can never ask for something else than the server
takes; a test says that every command and every field has a word here.
"""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from agent_ui.presence import CHOSEN_AT_CONSOLE, PRESENCE, PRESENCE_LABELS, NotReadyReason
from hotline import commands as c
from hotline.appeal import Attachment
from hotline.ids import DepartmentCode, TicketId
from hotline.summary import CENTRE_STATES
from hotline.terms import LABELS, RejectReason, State

COMMAND_WORDS: dict[type[msgspec.Struct], str] = {
    c.Accept: "受理", c.Answer: "直接答复", c.HandOff: "移交110等", c.Reject: "不予受理", c.Merge: "并单",
    c.AskInfo: "请诉求人补充", c.SupplyInfo: "代为补充", c.Resume: "恢复办理",
    c.Attach: "添加附件", c.GiveOpinion: "协办意见", c.Adopt: "并入", c.Disown: "取消并入",
    c.Withdraw: "撤单", c.Dispatch: "派单", c.Sign: "签收",
    c.RequestReturn: "申请退单", c.ApproveReturn: "同意退单", c.RefuseReturn: "驳回退单", c.Arbitrate: "提请裁定",
    c.TakeBack: "收回重派", c.PublishWish: "发布微心愿", c.UnpublishWish: "撤下微心愿", c.PledgeWish: "登记认领",
    c.DeliverWish: "登记送达", c.CancelPledge: "取消认领",
    c.Rule: "裁定", c.Reply: "办复", c.AcceptReply: "审核通过", c.RejectReply: "退回重报", c.SettleFollowUp: "回访办结",
    c.DisputeFollowUp: "回访不满意", c.Redispatch: "重办派单", c.PoliceReturn: "110退回", c.Close: "办结",
    c.Reopen: "重新受理", c.Unmerge: "取消并单", c.Archive: "归档", c.Urge: "催办", c.AddMessage: "发消息",
    c.AddNote: "内部备注", c.Correct: "更正分类", c.Reassess: "调整紧急程度", c.RecordContact: "登记首次联系",
    c.Rate: "登记评价", c.RequestExtension: "申请延期", c.GrantExtension: "同意延期", c.RefuseExtension: "驳回延期",
    c.Supervise: "督办", c.ShowLight: "亮灯", c.RecordTry: "登记回访未果",
    c.AcknowledgeIncident: "登记110警情号", c.RaiseAlarm: "报警", c.ClearAlarm: "解除报警",
    c.AcknowledgeAlarm: "知悉报警",
    c.Claim: "领取", c.Release: "放回",
}
FIELD_WORDS: dict[str, str] = {
    "text": "内容", "services": "移交给", "reason": "理由", "note": "备注", "parent": "并入工单",
    "question": "请补充什么", "attachments": "附件",
    "lead": "主办单位", "assisting": "协办单位（用顿号分开）", "directory_version": "目录版本",
    "reasons": "依据", "legal_basis": "退单依据", "suggested": "建议承办单位", "internal": "办理情况（内部）",
    "public": "答复内容（公开）", "rating": "满意度", "solved": "已解决", "unreachable": "联系不上",
    "inbound": "诉求人发来",
    "l1": "一级分类", "l2": "二级分类", "kind": "诉求类型", "place": "地点", "priority": "优先级", "title": "标题",
    "verdict": "紧急程度", "days": "工作日数", "incident": "警情号", "alarm": "报警事项", "detail": "说明",
    "child": "工单号", "ceiling_due": "最长时限", "completion_due": "办结时限", "flags": "疑似个人信息",
    "agent": "坐席工号", "needed": "需要数量", "unit": "单位（份、元…）", "pledge": "认领编号", "donor": "认领人",
    "quantity": "数量", "contact": "联系方式",
    "clock": "时限", "light": "灯", "crossed_at": "到达时间", "quiet": "不再提醒", "way": "方式",
    "result": "结果",
}
REJECT_WORDS: dict[RejectReason, str] = {
    RejectReason.LITIGATION: "诉讼", RejectReason.ARBITRATION: "仲裁", RejectReason.DISCIPLINE: "纪检监察",
    RejectReason.RECONSIDERATION: "行政复议", RejectReason.DISCLOSURE: "信息公开", RejectReason.PETITION: "已入信访",
    RejectReason.SECRECY: "涉密", RejectReason.PRIVACY: "涉他人隐私", RejectReason.INDECENCY: "违背公序良俗",
    RejectReason.NUISANCE: "恶意骚扰", RejectReason.NO_REPLY: "多次联系未补充",
}
_LONG = frozenset({"text", "internal", "public", "question", "reason", "note", "legal_basis", "detail"})
_NOT_ASKED = frozenset({
    "flags", "ceiling_due", "completion_due", "place", "directory_version", "reasons", "inbound",
})


def _word(term: Enum) -> str:
    if isinstance(term, RejectReason):
        return REJECT_WORDS[term]
    return LABELS.get(term, str(term.value))  # type: ignore[call-overload, no-any-return]


def _plain(hint: Any) -> Any:
    """Strip `| None`."""
    if isinstance(hint, UnionType):
        return next(part for part in get_args(hint) if part is not type(None))
    return hint


def _control(name: str, hint: Any) -> dict[str, Any]:
    hint = _plain(hint)
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if isinstance(item, type) and issubclass(item, Enum):
            return {"control": "checks", "options": [[term.value, _word(term)] for term in item]}
        if item is Attachment:
            return {"control": "files"}
        return {"control": "names"}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"control": "select", "options": [[term.value, _word(term)] for term in hint]}
    if hint is bool:
        return {"control": "check"}
    if hint in (int, TicketId):
        return {"control": "number"}
    if hint is DepartmentCode:
        return {"control": "department"}
    return {"control": "area" if name in _LONG else "line"}


def form_of(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return what a page needs to ask for a command: its word, whether it moves the lifecycle, and its fields."""
    hints = get_type_hints(kind)
    fields = [
        {"name": field.name, "word": FIELD_WORDS[field.name], "required": field.required,
         **({"value": field.default} if isinstance(field.default, bool) else {}),
         **_control(field.name, hints[field.name])}
        for field in msgspec.structs.fields(kind) if field.name not in _NOT_ASKED
    ]
    return {"word": COMMAND_WORDS[kind], "way": issubclass(kind, c.LifecycleCommand), "fields": fields}


def terms() -> dict[str, Any]:
    """Return all words, forms and tables for the console's page."""
    commands = {c.tag_of(kind): form_of(kind) for kind in (*c.LIFECYCLE_COMMANDS, *c.SIDE_COMMANDS)}
    labels: dict[str, dict[str, str]] = {}
    for term, word in LABELS.items():
        labels.setdefault(type(term).__name__.lower(), {})[str(term.value)] = word
    return {
        "commands": commands, "labels": labels, "centre_states": sorted(CENTRE_STATES),
        "states": [state.value for state in State],
        "events": {c.tag_of(kind): word for kind, word in COMMAND_WORDS.items()} | {"receive": "收到诉求"},
        "presence": {term.value: word for term, word in PRESENCE_LABELS.items()},
        "reasons": [reason.value for reason in NotReadyReason],
        "presence_ways": {state: sorted(ways & CHOSEN_AT_CONSOLE) for state, ways in PRESENCE.items()},
    }
