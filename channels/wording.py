"""What the citizen is told in words, the same on every channel that speaks in sentences. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from channels.message import Outbound, Receipt
from channels.views import Progress
from hotline.terms import Verdict

_ZONE = ZoneInfo("Asia/Shanghai")  # the one legal time of every Chinese city
WELCOME = (
    "您好,这里是12345政务服务便民热线。请直接发送您的诉求(什么事、在哪里、何时发生),可附图片、语音、位置。\n"
    "查询进度请发送:工单号 查询码。\n如遇危险,请立即拨打110、119、120。"
)
HELP = "请用文字说明您的诉求:什么事、在哪里、何时发生。查询进度请发送:工单号 查询码。"
UNSUPPORTED = "暂时无法处理这类消息,请用文字、图片、语音、视频或位置说明您的诉求。"
CODE_NEEDED = "查询办理进度,请把工单号和查询码一起发送:工单号 查询码。"
NOT_FOUND = "没有找到该工单,请核对工单号和查询码。"
TOO_FAST = "您发送得太快了,请稍后再试。"
LOOK_LATER = "暂时查不到办理进度,请稍后再查。"
_URGENT = "如有人身危险,请立即拨打110、119、120。"


_HEAD = re.compile(r"\s*(?:【[^】]*】)?工单[A-Z]{2}[0-9]+[^:]{0,40}:")
"""How `head` begins a notice, and what it becomes for a merged ticket (`hotline.family_news`)."""


_NOT_HANDED_ON = re.compile(r"\s*[【\[]收到不支持的消息类型[,，]暂无法显示[】\]]\s*")
"""What WeChat delivers as the text of a message that it does not hand on: a sticker (自定义表情), a card."""


def stands_for_nothing(text: str) -> bool:
    """Tell whether a text of WeChat's is its own word for what it does not hand on: no citizen has said it."""
    return _NOT_HANDED_ON.fullmatch(text) is not None


def head(signature: str, number: str) -> str:
    """Return how a notice begins: who writes, of which ticket."""
    return f"【{signature}】工单{number}:"


def gist(text: str, limit: int) -> str:
    """Return what a notice says in at most `limit` characters of one line: what stands behind its head."""
    said = " ".join(_HEAD.sub("", text, count=1).split())
    return said if len(said) <= limit else f"{said[:limit - 1]}…"


def local_time(moment: datetime, form: str = "%Y-%m-%d %H:%M") -> str:
    """Return a moment as people here read it off the clock."""
    return moment.astimezone(_ZONE).strftime(form)


def receipt_text(receipt: Receipt) -> str:
    """Return the confirmation of an appeal: number, code, who handles it and until when."""
    head = "已补充到您的工单(如是另一件事,请以“新诉求”开头发送)。" if receipt.continued else "您的诉求已受理。"
    lines = [head, f"工单号:{receipt.number}", f"查询码:{receipt.code}"]
    if receipt.category:
        lines.append(f"事项:{receipt.category.rpartition('/')[2]}")  # people know the name, not the code before it
    lines.append(f"承办单位:{receipt.department or '正在由人工确认'}")
    if receipt.expected_by is not None:
        lines.append(f"预计办结:{local_time(receipt.expected_by)}前")
    if receipt.verdict == Verdict.EMERGENCY:
        lines.append(f"情况紧急,已同时移交应急部门。{_URGENT}")
    elif receipt.verdict == Verdict.UNCLEAR:
        lines.append(_URGENT)
    return "\n".join(lines)


def progress_text(progress: Progress) -> str:
    """Return how a ticket stands, with its last step and the public reply."""
    lines = [f"工单{progress.number}:{progress.status_label}"]
    if progress.department:
        lines.append(f"承办单位:{progress.department}")
    if progress.steps:
        last = progress.steps[-1]
        lines.append(f"{local_time(last.at)} {last.title} {last.text}".rstrip())
    if progress.public_reply:
        lines.append(f"答复:{progress.public_reply}")
    return "\n".join(lines)


def cut(text: str, limit: int) -> str:
    """Return `text` cut to at most `limit` bytes of UTF-8, whole characters, with an ellipsis where cut."""
    data = text.encode()
    return text if len(data) <= limit else data[:limit - 3].decode(errors="ignore") + "…"


def words_of(message: Outbound, limit: int = 0) -> str:
    """Return what is sent of a message: the text, cut where it is longer than `limit` bytes in all, and the link."""
    link = f" 评价:{message.link}" if message.link else ""
    return (cut(message.text, limit - len(link.encode())) if limit else message.text) + link
