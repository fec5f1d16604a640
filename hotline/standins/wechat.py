"""A stand-in for WeChat's API server, for tests, demos and rehearsals: `python -m hotline.standins.wechat --port 8099`.

Answers as api.weixin.qq.com does: token, customer-service messages, subscription notices, files (of a video only where
it lies). Like WeChat's, an older access token stops being valid when a new one is given. Faults are switched at run
time by `POST /standin/faults` with the fields of `Faults`; `GET /standin/sent` lists what arrived. It keeps everything
in memory and checks no secret.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from channels.wechat_crypto import signature


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Switchable faults; counters go down with each use.

    Attributes:
        busy: so many next calls answer -1.
        expired: so many next calls answer 42001 whatever the token.
        outside_window, counted_out, not_subscribed: open ids answered 45015, 45047, 43101.
        files_answer: this code is the answer to whoever asks for a file, such as 45009; 0 for none.
        slow: seconds that every answer takes.
        down: every call answers HTTP 502 with a page.
        refuse_token: no access token is given (40013).
    """

    busy: int = 0
    expired: int = 0
    outside_window: set[str] = set()
    counted_out: set[str] = set()
    not_subscribed: set[str] = set()
    files_answer: int = 0
    slow: float = 0.0
    down: bool = False
    refuse_token: bool = False


class WeChatStandIn:
    """The server's state: `sent` holds (path, body) of accepted messages, `media` files by id."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.tokens = 0
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.media: dict[str, tuple[str, bytes]] = {}

    @property
    def token(self) -> str:
        """The access token that is valid now."""
        return f"token-{self.tokens}"

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._faulty])
        app.add_routes([
            web.get("/cgi-bin/token", self._token),
            web.post("/cgi-bin/message/custom/send", self._send),
            web.post("/cgi-bin/message/subscribe/bizsend", self._send),
            web.get("/cgi-bin/media/get", self._media),
            web.get("/video/{media_id}", self._video),
            web.post("/standin/faults", self._set_faults),
            web.get("/standin/sent", self._list),
        ])
        return app

    @web.middleware
    async def _faulty(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/standin/"):
            return await handler(request)
        await asyncio.sleep(self.faults.slow)
        if self.faults.down:
            return web.Response(status=502, text="<html>502 Bad Gateway</html>", content_type="text/html")
        return await handler(request)

    async def _token(self, _: web.Request) -> web.Response:
        if self.faults.refuse_token:
            return _error(40013, "invalid appid")
        self.tokens += 1
        return _json({"access_token": self.token, "expires_in": 7200})

    def _checked(self, request: web.Request) -> web.Response | None:
        """Return the error that a call with this token meets, None for none."""
        if self.faults.expired > 0:
            self.faults.expired -= 1
            return _error(42001, "access_token expired")
        if not self.tokens or request.query.get("access_token") != self.token:
            return _error(40001, "invalid credential, access_token is invalid or not latest")
        if self.faults.busy > 0:
            self.faults.busy -= 1
            return _error(-1, "system error")
        return None

    async def _send(self, request: web.Request) -> web.Response:
        if error := self._checked(request):
            return error
        try:
            body = msgspec.json.decode(await request.read(), type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return _error(47001, "data format error")
        to = str(body.get("touser", ""))
        if not to:
            return _error(40003, "invalid openid")
        if error := self._refused(to, request.path):
            return error
        self.sent.append((request.path, body))
        return _error(0, "ok")

    def _refused(self, to: str, path: str) -> web.Response | None:
        if path.endswith("bizsend"):
            return _error(43101, "user refuse to accept the msg") if to in self.faults.not_subscribed else None
        if to in self.faults.outside_window:
            return _error(45015, "response out of time limit or subscription is canceled")
        return _error(45047, "out of response count limit") if to in self.faults.counted_out else None

    async def _media(self, request: web.Request) -> web.Response:
        if error := self._checked(request):
            return error
        if self.faults.files_answer:
            return _error(self.faults.files_answer, "as the faults say")
        kept = self.media.get(request.query.get("media_id", ""))
        if kept is None:
            return _error(40007, "invalid media_id")
        if kept[0].startswith("video/"):
            return _json({"video_url": str(request.url.origin() / "video" / request.query["media_id"])})
        return web.Response(body=kept[1], content_type=kept[0])

    async def _video(self, request: web.Request) -> web.Response:
        """The file itself. Another server of WeChat's: whoever brings the access token has given it away."""
        kept = self.media.get(request.match_info["media_id"])
        if kept is None or "access_token" in request.query:
            raise web.HTTPForbidden
        return web.Response(body=kept[1], content_type=kept[0])

    async def _set_faults(self, request: web.Request) -> web.Response:
        try:
            self.faults = msgspec.json.decode(await request.read(), type=Faults)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        return _json(self.faults)

    async def _list(self, _: web.Request) -> web.Response:
        return _json([{"path": path, "body": body} for path, body in self.sent])


def text_message(text: str, *, open_id: str, message_id: int, created: int, account: str = "gh_12345") -> bytes:
    """Return a text message as WeChat posts it to `/wechat` in 明文模式."""
    fields = {
        "ToUserName": account, "FromUserName": open_id, "CreateTime": created, "MsgType": "text", "Content": text,
        "MsgId": message_id,
    }
    inner = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in fields.items())
    return f"<xml>{inner}</xml>".encode()


def signed_query(token: str, *, timestamp: int, nonce: str) -> dict[str, str]:
    """Return the query with which WeChat signs what it posts."""
    signed = signature(token, str(timestamp), nonce)
    return {"signature": signed, "timestamp": str(timestamp), "nonce": nonce}


def _error(code: int, message: str) -> web.Response:
    return _json({"errcode": code, "errmsg": message})


def _json(answer: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")


def main() -> None:
    """Run the stand-in until interrupted."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: HOTLINE_WECHAT_API=http://127.0.0.1:8099 python -m hotline serve",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args()
    web.run_app(WeChatStandIn().app(), host=given.host, port=given.port)


if __name__ == "__main__":
    main()
