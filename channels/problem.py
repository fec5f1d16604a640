"""Errors on the wire: problem+json (RFC 9457) with a stable `error_id`.

`problems` is the outermost middleware: HotlineError and aiohttp's own HTTP errors become problems, anything unexpected
a 500 with a reference under which the log has the traceback.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import cast

import msgspec
import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestPayloadError

from hotline.errors import HotlineError, InvalidInput, Overloaded, RateLimited

log = structlog.get_logger(__name__)
_OUTAGE = 5
"""Seconds after which it is worth asking again when something we depend on is away."""
MEDIA_TYPE = "application/problem+json"
Tell = Callable[[HotlineError], web.Response]
TELL: web.RequestKey[Tell] = web.RequestKey("tell", cast(type[Tell], Callable))
"""Under this a request holds how it wants its errors told, where a protocol has a form of its own (Open311)."""

STATUS: dict[str, int] = {
    "invalid_input": 400, "password_weak": 400, "password_used": 400, "password_wrong": 400, "code_mismatch": 400,
    "unauthenticated": 401, "code_needed": 401, "code_wrong": 401, "forbidden": 403, "password_change_needed": 403,
    "second_factor_needed": 403, "not_found": 404, "method_not_allowed": 405,
    "illegal_transition": 409, "version_conflict": 409, "replayed": 409, "too_large": 413,
    "unsupported_media_type": 415, "idempotency_key_reused": 422, "rule_violation": 422,
    "personal_data": 422, "rate_limited": 429,
    "internal": 500, "overloaded": 503, "unavailable": 503,
}
TITLES: dict[str, str] = {
    "invalid_input": "请求内容有误", "password_weak": "密码强度不够", "password_used": "密码近期使用过",
    "unauthenticated": "未通过身份验证", "code_needed": "请输入动态验证码",
    "code_wrong": "验证码不正确", "code_mismatch": "验证码不正确",
    "password_wrong": "密码不正确", "forbidden": "无权操作", "password_change_needed": "请先修改密码",
    "second_factor_needed": "请先绑定动态验证码", "not_found": "未找到",
    "method_not_allowed": "不支持的请求方法", "illegal_transition": "工单当前状态不允许此操作",
    "version_conflict": "工单已被他人更新", "replayed": "重复的签名请求", "too_large": "内容过大",
    "unsupported_media_type": "不支持的内容类型", "idempotency_key_reused": "幂等键已用于其他内容",
    "rule_violation": "不符合业务规则", "personal_data": "公开内容含个人信息",
    "rate_limited": "请求过于频繁", "internal": "服务内部错误",
    "overloaded": "服务繁忙", "unavailable": "依赖的服务暂不可用",
}
_FROM_HTTP = {
    401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed", 413: "too_large",
    415: "unsupported_media_type", 429: "rate_limited", 503: "unavailable",
}


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error. `field`: what is to be mended; `reference` finds the log line of an unexpected error."""

    type: str
    title: str
    status: int
    detail: str
    error_id: str
    instance: str = ""
    field: str = ""
    reference: str = ""


def status_of(error_id: str) -> int:
    """Return the HTTP status of an error id; ids of a finer grain than the table are bad requests."""
    return STATUS.get(error_id, 400)


def problem_of(error: HotlineError, *, instance: str = "") -> Problem:
    """Describe an error of this project."""
    error_id = error.error_id
    return Problem(
        type=f"urn:hotline:problem:{error_id}", title=TITLES.get(error_id, TITLES["invalid_input"]),
        status=status_of(error_id), detail=error.detail, error_id=error_id, instance=instance,
        field=error.field,
    )


def problem_response(error: HotlineError, *, instance: str = "") -> web.Response:
    """Turn an error of this project into its response, with `Retry-After` or `WWW-Authenticate` where due."""
    problem = problem_of(error, instance=instance)
    headers = {}
    if isinstance(error, RateLimited | Overloaded):
        headers["Retry-After"] = str(error.retry_after)
    elif problem.status == 503:
        headers["Retry-After"] = str(_OUTAGE)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="hotline"'
    return _response(problem, headers)


def _response(problem: Problem, headers: dict[str, str]) -> web.Response:
    body = msgspec.json.encode(problem)
    return web.Response(status=problem.status, body=body, content_type=MEDIA_TYPE, headers=headers)


def _http_problem(error: web.HTTPException, request: web.Request) -> web.Response:
    error_id = _FROM_HTTP.get(error.status, "invalid_input" if error.status < 500 else "internal")
    kept = {name: error.headers[name] for name in ("Allow", "Retry-After") if name in error.headers}
    detail = error.text or error.reason
    if TELL in request:
        response = _told(request, HotlineError(detail, error_id=error_id))
        response.headers.update(kept)
        return response
    problem = Problem(
        type=f"urn:hotline:problem:{error_id}", title=TITLES[error_id], status=error.status, detail=detail,
        error_id=error_id, instance=request.path,
    )
    return _response(problem, kept)


def _unexpected(path: str, reference: str) -> web.Response:
    return _response(Problem(
        type="urn:hotline:problem:internal", title=TITLES["internal"], status=500, error_id="internal",
        detail="something went wrong here; report the reference", instance=path, reference=reference,
    ), {})


def _told(request: web.Request, error: HotlineError) -> web.Response:
    tell = request.get(TELL)
    return tell(error) if tell is not None else problem_response(error, instance=request.path)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into problem+json; redirects and the like pass."""
    try:
        return await handler(request)
    except HotlineError as error:
        return _told(request, error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _http_problem(error, request)
    except (RequestPayloadError, HttpProcessingError) as error:
        wrong = InvalidInput(f"the body cannot be read as its headers say: {error}")
        return _told(request, wrong)
    except ConnectionResetError:
        raise  # the client has gone: there is nobody to answer
    except Exception:  # the last resort: a mistake of ours is told with a reference to its log line, never bare
        reference = secrets.token_hex(8)
        log.exception("unexpected_error", reference=reference, path=request.path)
        if TELL in request:
            return _told(request, HotlineError(f"something went wrong here; report the reference {reference}"))
        return _unexpected(request.path, reference)
