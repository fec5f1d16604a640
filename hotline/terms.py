"""The field's words as enums: one word for one idea, with the Chinese that people read.

Values are what is stored and sent; the Chinese labels are in `LABELS`. Sources: domain.md sections 2–5
(国办发〔2020〕53号, GB/T 33358-2016).
"""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """Where an appeal came from. The digit stands in the ticket number (`hotline.ids`)."""

    CALL = "call"
    WECHAT = "wechat"
    WEB = "web"
    APP = "app"
    POLICE = "police"
    CITY = "city"
    PORTAL = "portal"


class Sensitive(StrEnum):
    """敏感标签: what calls for care in how a ticket is handled and spoken of, beside its category; people set it."""

    CROWD = "crowd"
    EXTREME = "extreme"
    MEDIA = "media"
    MINORS = "minors"
    OFFICIALS = "officials"
    VETERANS = "veterans"
    FOREIGN = "foreign"
    FAITH = "faith"


class Kind(StrEnum):
    """诉求类型: what the citizen is doing."""

    ENQUIRY = "enquiry"
    ASSISTANCE = "assistance"
    COMPLAINT = "complaint"
    REPORT = "report"
    SUGGESTION = "suggestion"
    COMMENDATION = "commendation"
    OTHER = "other"
    WISH = "wish"


class Verdict(StrEnum):
    """The three-way decision between 110 and 12345 (国办发〔2022〕12号)."""

    EMERGENCY = "emergency"
    UNCLEAR = "unclear"
    NON_EMERGENCY = "non_emergency"


GRAVITY = {Verdict.NON_EMERGENCY: 0, Verdict.UNCLEAR: 1, Verdict.EMERGENCY: 2}
"""What verdicts are compared by: the graver, the more."""


class Service(StrEnum):
    """Emergency services that an incident may need."""

    POLICE = "110"
    FIRE = "119"
    AMBULANCE = "120"
    TRAFFIC = "122"


class Priority(StrEnum):
    """P0 emergency, P1 sudden or life and property, P2 utilities, P3 the rest."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class State(StrEnum):
    """Lifecycle states of a ticket (工单状态)."""

    RECEIVED = "received"
    NEED_INFO = "need_info"
    PENDING_DISPATCH = "pending_dispatch"
    PENDING_SIGN = "pending_sign"
    RETURN_REQUESTED = "return_requested"
    ARBITRATION = "arbitration"
    HANDLING = "handling"
    PENDING_REVIEW = "pending_review"
    ANSWERED = "answered"
    HANDED_OFF = "handed_off"
    PENDING_FOLLOW_UP = "pending_follow_up"
    REDO = "redo"
    CLOSED = "closed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    ARCHIVED = "archived"


class RejectReason(StrEnum):
    """不予受理 reason codes; each is told to the citizen with its legal route (`REJECT_ROUTES`)."""

    LITIGATION = "litigation"
    ARBITRATION = "arbitration"
    DISCIPLINE = "discipline"
    RECONSIDERATION = "reconsideration"
    DISCLOSURE = "disclosure"
    PETITION = "petition"
    SECRECY = "secrecy"
    PRIVACY = "privacy"
    INDECENCY = "indecency"
    NUISANCE = "nuisance"
    NO_REPLY = "no_reply"


class Rating(StrEnum):
    """好差评, five levels."""

    VERY_SATISFIED = "very_satisfied"
    SATISFIED = "satisfied"
    FAIRLY_SATISFIED = "fairly_satisfied"
    DISSATISFIED = "dissatisfied"
    VERY_DISSATISFIED = "very_dissatisfied"


class ClockName(StrEnum):
    """The clocks of a ticket that show a light."""

    SIGN = "sign"
    CONTACT = "contact"
    ON_SITE = "on_site"
    COMPLETION = "completion"
    FOLLOW_UP = "follow_up"
    WAIT = "wait"
    CHAT = "chat"


class Light(StrEnum):
    """亮灯: yellow near the end of a clock, red when it has run out."""

    YELLOW = "yellow"
    RED = "red"


class Way(StrEnum):
    """How a citizen is reached in follow-up."""

    PHONE = "phone"
    WECHAT = "wechat"
    SMS = "sms"
    APP = "app"
    WEB = "web"


class TryResult(StrEnum):
    """What became of a try to reach somebody: `sent` for a message, the others for a call."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    OFF = "off"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    SENT = "sent"


LABELS: dict[StrEnum, str] = {
    Channel.CALL: "电话", Channel.WECHAT: "微信", Channel.WEB: "网站", Channel.APP: "应用",
    Channel.POLICE: "110移交", Channel.CITY: "外市移交", Channel.PORTAL: "政务平台",
    Kind.ENQUIRY: "咨询", Kind.ASSISTANCE: "求助", Kind.COMPLAINT: "投诉", Kind.REPORT: "举报",
    Kind.SUGGESTION: "建议", Kind.COMMENDATION: "表扬", Kind.OTHER: "其他",
    Kind.WISH: "微心愿",
    Sensitive.CROWD: "群体性", Sensitive.EXTREME: "扬言极端", Sensitive.MEDIA: "媒体舆情",
    Sensitive.MINORS: "涉未成年人", Sensitive.OFFICIALS: "涉公职人员", Sensitive.VETERANS: "涉军",
    Sensitive.FOREIGN: "涉外涉港澳台", Sensitive.FAITH: "民族宗教",
    Verdict.EMERGENCY: "紧急", Verdict.UNCLEAR: "待确认", Verdict.NON_EMERGENCY: "非紧急",
    Service.POLICE: "公安", Service.FIRE: "消防", Service.AMBULANCE: "急救", Service.TRAFFIC: "交警",
    Priority.P0: "特急", Priority.P1: "紧急", Priority.P2: "优先", Priority.P3: "普通",
    State.RECEIVED: "待受理", State.NEED_INFO: "待补充", State.PENDING_DISPATCH: "待派单",
    State.PENDING_SIGN: "待签收", State.RETURN_REQUESTED: "退单待审", State.ARBITRATION: "争议裁定",
    State.HANDLING: "办理中", State.PENDING_REVIEW: "待审核", State.ANSWERED: "已直接答复",
    State.HANDED_OFF: "已移交110等", State.PENDING_FOLLOW_UP: "待回访", State.REDO: "重办",
    State.CLOSED: "办结", State.REJECTED: "不予受理", State.WITHDRAWN: "撤单", State.MERGED: "已并单",
    State.ARCHIVED: "归档",
    ClockName.SIGN: "签收", ClockName.CONTACT: "首次联系", ClockName.ON_SITE: "到场",
    ClockName.COMPLETION: "办结", ClockName.FOLLOW_UP: "回访", ClockName.WAIT: "待中心处理",
    ClockName.CHAT: "会话答复",
    Light.YELLOW: "黄灯", Light.RED: "红灯",
    Way.PHONE: "电话", Way.SMS: "短信",  # the others are channels too, and called alike
    TryResult.NO_ANSWER: "无人接听", TryResult.BUSY: "占线", TryResult.OFF: "关机或停机",
    TryResult.WRONG_NUMBER: "号码有误", TryResult.REFUSED: "拒绝接受回访", TryResult.SENT: "已发送",
    Rating.VERY_SATISFIED: "非常满意", Rating.SATISFIED: "满意", Rating.FAIRLY_SATISFIED: "基本满意",
    Rating.DISSATISFIED: "不满意", Rating.VERY_DISSATISFIED: "非常不满意",
}

REJECT_ROUTES: dict[RejectReason, str] = {
    RejectReason.LITIGATION: "已进入或应当通过诉讼解决,请向有管辖权的人民法院反映(诉讼服务热线12368)。",
    RejectReason.ARBITRATION: "已进入或应当通过仲裁解决,请向仲裁机构或劳动人事争议仲裁委员会申请(法律咨询12348)。",
    RejectReason.DISCIPLINE: "属纪检监察受理范围,请拨打12388或登录12388举报网站反映。",
    RejectReason.RECONSIDERATION: "应当通过行政复议解决,请在60日内向行政复议机关提出申请(法律咨询12348)。",
    RejectReason.DISCLOSURE: "属政府信息公开申请,请向制作或保存该信息的行政机关的信息公开工作机构提出。",
    RejectReason.PETITION: "已进入信访程序,请通过原信访渠道查询;对处理意见不服可依法申请复查、复核。",
    RejectReason.SECRECY: "内容涉及国家秘密、商业秘密,依法不予受理。",
    RejectReason.PRIVACY: "内容涉及他人隐私,依法不予受理。",
    RejectReason.INDECENCY: "内容违背公序良俗,不予受理。",
    RejectReason.NUISANCE: "属恶意骚扰,线索将移交公安机关。",
    RejectReason.NO_REPLY: "多次联系未能补充必要信息,本次诉求终止受理,可重新提交。",
}


def label(term: StrEnum) -> str:
    """Return the Chinese label of a term, or its value where none is set."""
    return LABELS.get(term, term.value)
