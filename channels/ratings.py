"""Adapter for links to rate: a page, and the API behind it. The signature of the link is the key."""

from __future__ import annotations

from aiohttp import web

from channels import rating_page
from channels.kit import JSON, json_response, read_limited
from channels.port import RatingPort
from channels.rating_link import PATH
from hotline.errors import IllegalTransition, InvalidInput, NotFound

_SMALL = 16 * 1024
_FORM = "application/x-www-form-urlencoded"


class Ratings:
    """Handlers over a port."""

    def __init__(self, port: RatingPort) -> None:
        self._port = port

    async def page(self, request: web.Request) -> web.Response:
        """The form; a link that is not valid gets a page that says so."""
        token = request.match_info["token"]
        try:
            progress = await self._port.linked(token)
        except NotFound:
            return _html(rating_page.sorry("链接无效或已过期,请凭工单号和查询码查询。"), status=404)
        return _html(rating_page.page(progress, action=f"/api/v1/ratings/{token}"))

    async def rate(self, request: web.Request) -> web.Response:
        """Take a rating: a form is answered with a page, JSON with how the ticket stands."""
        token, form = request.match_info["token"], request.content_type == _FORM
        if not form and "Content-Type" in request.headers and request.content_type != JSON:
            raise InvalidInput(f"send {JSON} or {_FORM}", error_id="unsupported_media_type")
        try:
            given = rating_page.decode(await read_limited(request, _SMALL), form=form)
            progress = await self._port.rate_linked(token, given.rating, given.solved, given.note or "")
        except (NotFound, IllegalTransition, InvalidInput) as error:
            if not form:
                raise
            if isinstance(error, InvalidInput):
                return _html(rating_page.sorry("请选择满意程度后再提交。"), status=400)
            return _html(rating_page.sorry("现在不能评价:链接已过期,或还没有办理结果。"), status=409)
        return _html(rating_page.thanks(progress)) if form else json_response(progress)


def _html(text: str, *, status: int = 200) -> web.Response:
    return web.Response(
        text=text, content_type="text/html", charset="utf-8", status=status, headers=rating_page.HEADERS
    )


def routes(port: RatingPort) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    handlers = Ratings(port)
    return [web.get(f"{PATH}{{token}}", handlers.page), web.post("/api/v1/ratings/{token}", handlers.rate)]
