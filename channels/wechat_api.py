"""WeChat's API as values: what is sent, what its answers mean, where the shared token lies. Pure.

What WeChat answers and what we make of it:
    40001 40014 42001  token no longer valid → refreshed once, tried again
    -1                 busy → tried again, three times in all
    45015 45047        48 hours since the citizen's last message, or five messages of ours since then: only they can
                       open the way again → subscription notice if set up, else OutsideWindow
    45009 45011        the day's or the minute's calls are used up → RateLimited
    43101              the citizen did not subscribe → OutsideWindow
    40007              there is no such file (any more) → RuleViolation
    others             40164 address not on the list, 48001 not permitted … → Refused: people can mend it there
Source: developers.weixin.qq.com, 客服消息, 订阅通知, 全局返回码.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from channels.message import Outbound
from channels.wording import gist, words_of
from hotline.errors import UNREADABLE, RateLimited, RuleViolation, Unavailable

TOKEN_NAME = "wechat"  # noqa: S105 – the row's name, no secret
TEXT_BYTES = 2048
NOTICE_CHARS = 20
STALE_TOKEN = frozenset({40001, 40014, 42001})
BUSY = -1
UNTIL_THEY_WRITE = frozenset({45015, 45047})
COUNTED_OUT: Mapping[int, int] = {45009: 3600, 45011: 60}
"""When to try again, in seconds."""
NO_SUCH_FILE = 40007
NOT_SUBSCRIBED = 43101


class FreshToken(msgspec.Struct, frozen=True):
    """A new access token and how long it lasts, in seconds."""

    token: str
    expires_in: int


class TokenStore(Protocol):
    """The one place of the access token, shared by all processes (a database row and a lock)."""

    async def get(self, name: str) -> str | None:
        """Return the token, None when there is none or it expires within minutes."""
        ...

    async def refresh(self, name: str, fetch: Callable[[], Awaitable[FreshToken]], *, stale: str | None) -> str:
        """Return a token other than `stale`: what another process has put there meanwhile, else from `fetch`.

        Only one process fetches at a time: each new token makes WeChat forget older ones.
        """
        ...


class OutsideWindow(RuleViolation):
    """WeChat does not let us write to this citizen now; another way (SMS) is due. Trying again is no use."""

    error_id = "wechat_outside_window"


class Refused(RuleViolation):
    """WeChat refuses, for a reason that lies in the account's settings rather than in what was asked."""

    error_id = "wechat_refused"


class WeChatApi(msgspec.Struct, frozen=True, kw_only=True):
    """Where and who: base address without a slash at the end, app id and secret; the subscription notice if set up.

    `template_id` is the notice; `fields` maps its keywords to `number`, `text` or a fixed text (`{"thing1": "text"}`).
    `text` is what happened, without the words that every notice begins with: a keyword holds 20 characters.
    """

    base: str
    app_id: str
    secret: str
    template_id: str = ""
    fields: Mapping[str, str] = {}


def customer_message(message: Outbound) -> dict[str, Any]:
    """Return the body of a customer-service message."""
    return {"touser": message.to, "msgtype": "text", "text": {"content": words_of(message, TEXT_BYTES)}}


def notice(message: Outbound, api: WeChatApi) -> dict[str, Any]:
    """Return the body of a subscription notice; touching it opens the page on which to rate, where there is one."""
    given = {"number": message.number or "", "text": gist(message.text, NOTICE_CHARS)}
    data = {name: {"value": given.get(source, source)} for name, source in api.fields.items()}
    page = {"page": message.link} if message.link else {}
    return {"touser": message.to, "template_id": api.template_id, **page, "data": data}


def read_answer(body: bytes) -> dict[str, Any]:
    """Return WeChat's JSON answer; raises Unavailable when it is none (a gateway's error page)."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except UNREADABLE as error:
        raise Unavailable("WeChat answered with something else than JSON") from error


def read_token(answer: dict[str, Any]) -> FreshToken:
    """Return the token of an answer; raises Unavailable when it has none."""
    try:
        return FreshToken(msgspec.convert(answer["access_token"], str), msgspec.convert(answer["expires_in"], int))
    except (KeyError, msgspec.ValidationError) as error:
        raise Unavailable(f"WeChat gave no access token (errcode {code_of(answer)})") from error


def video_address(answer: dict[str, Any]) -> str:
    """Return where a video lies, "" where the answer names none; raises RuleViolation for an address off the web."""
    address = str(answer.get("video_url") or "")
    if address and not address.lower().startswith(("http://", "https://")):
        raise RuleViolation("WeChat names an address for the video that is none of the web", error_id="wechat_refused")
    return address


def code_of(answer: dict[str, Any]) -> int:
    """Return the error code, 0 for success."""
    code = answer.get("errcode", 0)
    return code if isinstance(code, int) else BUSY


def raise_for(answer: dict[str, Any]) -> None:
    """Raise what an answer means; see the table at the top."""
    code = code_of(answer)
    if code == 0:
        return
    detail = f"WeChat answered {code}: {answer.get('errmsg', '')}"
    if code in COUNTED_OUT:
        raise RateLimited(detail, retry_after=COUNTED_OUT[code])
    if code in UNTIL_THEY_WRITE or code == NOT_SUBSCRIBED:
        raise OutsideWindow(detail)
    if code == BUSY or code in STALE_TOKEN:
        raise Unavailable(detail)
    if code == NO_SUCH_FILE:
        raise RuleViolation(detail, error_id="wechat_no_such_file")
    raise Refused(detail)
