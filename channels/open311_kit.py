"""Answers of the Open311 adapter: rows in the format that was asked for, errors in Open311's own form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from aiohttp import web

from channels import form_codec, open311_wire
from channels.kit import client_network, named_by_secret, read_limited
from channels.limits import RateLimit
from channels.open311_codec import Jurisdiction
from channels.open311_wire import Row
from channels.problem import TELL, problem_response
from hotline.errors import HotlineError, InvalidInput, NotFound

Handler = Callable[[web.Request, str], Awaitable[web.Response]]
FORM = "{form:json|xml}"


def typed(body: bytes, form: str, *, status: int = 200) -> web.Response:
    """Return a body with the format's content type."""
    content_type = open311_wire.CONTENT_TYPES[form]
    return web.Response(status=status, body=body, content_type=content_type, charset="utf-8")


def rows_response(rows: Sequence[Row], form: str, *, many: str, one: str, status: int = 200) -> web.Response:
    """Return rows; `many` and `one` name the XML elements."""
    return typed(open311_wire.encode_rows(rows, form=form, many=many, one=one), form, status=status)


def requests_response(rows: Sequence[Row], form: str, *, status: int = 200) -> web.Response:
    """Return rows that are requests."""
    return rows_response(rows, form, many="service_requests", one="request", status=status)


def handler(city: Jurisdiction, handle: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return `handle` with the format chosen, the jurisdiction checked and errors in Open311's form."""

    async def wrapped(request: web.Request) -> web.Response:
        form = request.match_info.get("form") or ("xml" if request.path.endswith(".xml") else "json")
        tell: Callable[[HotlineError], web.Response] = partial(told, form=form)
        request[TELL] = tell  # an outage is told further out, in the same form
        try:
            city.check(request.query.get("jurisdiction_id", ""))
            return await handle(request, form)
        except HotlineError as error:
            return told(error, form=form)

    return wrapped


def asked(request: web.Request) -> dict[str, str]:
    """Return the parameters of a GET; one that is given several times says what it would with commas."""
    return {name: ",".join(request.query.getall(name)) for name in request.query}


async def sent(request: web.Request, limit: int) -> dict[str, str]:
    """Return the parameters of a POST, of one that is given twice the first; the body's count before the address's.

    Raises InvalidInput, also (`unsupported_media_type`) for a body that is no urlencoded form.
    """
    if request.content_type.startswith("multipart/") or request.content_type.endswith(("json", "xml")):
        detail = f"send application/x-www-form-urlencoded, not {request.content_type}; a photo's address is media_url"
        raise InvalidInput(detail, error_id="unsupported_media_type")
    pairs = form_codec.decode_urlencoded(await read_limited(request, limit))
    return {**request.query, **dict(reversed(pairs))}


class Keys:
    """api_keys by the name of their app. `calls` is what one may ask in a minute, counted with its bearer token."""

    def __init__(self, secrets: Mapping[str, str], calls: RateLimit | None, now: Callable[[], datetime]) -> None:
        self._secrets, self._calls, self._now = secrets, calls, now

    def named(self, given: str) -> str:
        """Return whose key it is, "" for nobody's; raises RateLimited for one request too many."""
        name = named_by_secret(given, self._secrets)
        if name and self._calls is not None:
            self._calls.take(given, self._now().timestamp())
        return name


def limited(
    handle: Handler, *, looks: RateLimit, keys: Keys, proxies: int, now: Callable[[], datetime]
) -> Handler:
    """Return `handle` for so many requests an address; who brings an api_key is counted as an app (`token_rate`)."""

    async def wrapped(request: web.Request, form: str) -> web.Response:
        if not keys.named(request.query.get("api_key", "")):
            looks.take(client_network(request, proxies=proxies), now().timestamp())
        return await handle(request, form)

    return wrapped


def told(error: HotlineError, *, form: str) -> web.Response:
    """Return an error in Open311's form, with the headers that it has in ours."""
    status, body = open311_wire.encode_error(error, form=form)
    response = typed(body, form, status=status)
    for name in ("Retry-After", "WWW-Authenticate"):
        if value := problem_response(error).headers.get(name):
            response.headers[name] = value
    return response


async def nowhere(request: web.Request, _: str) -> web.Response:
    """Everything else below `/open311/v2/`: another method of a resource, or no resource."""
    found = [await one.resolve(request) for one in request.app.router.resources()]
    if allowed := sorted(set().union(*(methods for _, methods in found)) - {"*"}):
        raise web.HTTPMethodNotAllowed(request.method, allowed)
    raise NotFound("no such resource; end the path in .json or .xml")
