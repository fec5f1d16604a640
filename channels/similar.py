"""Adapter for what others have reported: a look before sending, joining a report, the towns of the form.

Nobody logs in for it, so it is limited by address; what is shown comes from the city's own lists of places and matters,
never from a citizen's words.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from channels import appeal_codec, similar_codec
from channels.kit import JSON, client_network, idempotency_key, json_response, read_limited, require_json, stored
from channels.limits import RateLimit
from channels.openapi_document import Operation
from channels.port import ChannelPort, SimilarPort
from channels.similar_codec import JoinAnswer, JoinBody, LookBody, Towns
from channels.ticket_codec import number_of
from channels.views import Look

_LARGE, _WITH_FILES = 256 * 1024, 1024 * 1024
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path="/api/v1/towns", tag="诉求", summary="The city's towns, for a form",
        answers={200: (JSON, Towns)},
    ),
    Operation(
        method="post", path="/api/v1/appeals/look", tag="诉求", body={JSON: LookBody}, answers={200: (JSON, Look)},
        summary="Before sending: similar open public reports, towns named, and whether the words tell of danger",
        errors=("rate_limited", "unsupported_media_type"),
    ),
    Operation(
        method="post", path="/api/v1/tickets/{number}/joins", tag="工单", parameters=("number", "key"),
        summary="我也遇到: join an open public report, under a number and code of one's own",
        body={JSON: JoinBody}, answers={201: (JSON, JoinAnswer), 200: (JSON, JoinAnswer)},
        errors=("not_found", "rate_limited", "idempotency_key_reused", "overloaded", "unavailable",
                "unsupported_media_type"),
    ),
)


class SimilarReports:
    """Handlers over a port."""

    def __init__(
        self, port: ChannelPort, similar: SimilarPort, *, towns: Towns, looks: RateLimit, appeals: RateLimit,
        proxies: int,
    ) -> None:
        self._port, self._similar, self._towns = port, similar, towns
        self._looks, self._appeals, self._proxies = looks, appeals, proxies

    def _take(self, limit: RateLimit, request: web.Request) -> None:
        limit.take(client_network(request, proxies=self._proxies), self._port.now().timestamp())

    async def towns(self, _: web.Request) -> web.Response:
        """The towns of the form."""
        response = json_response(self._towns)
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    async def look(self, request: web.Request) -> web.Response:
        """What can be told before sending."""
        self._take(self._looks, request)
        require_json(request)
        body = similar_codec.decode_look(await read_limited(request, _LARGE))
        response = json_response(await self._similar.look(body.text, appeal_codec.place_of(body.place)))
        response.headers["Cache-Control"] = "no-store"
        return response

    async def join(self, request: web.Request) -> web.Response:
        """Join a report: 201, or 200 for a repeated key."""
        self._take(self._appeals, request)
        require_json(request)
        number = number_of(request.match_info["number"])
        body = similar_codec.decode_join(await read_limited(request, _WITH_FILES), number)
        files = await stored(self._port, body.attachments or ())
        appeal = appeal_codec.appeal_of(body, files)
        inbound = appeal_codec.inbound_of(
            appeal, client="", key=f"join:{number}:{idempotency_key(request)}", now=self._port.now(), source="join"
        )
        receipt, joined = await self._similar.join(number, inbound)
        return json_response(
            similar_codec.join_answer(receipt, joined=joined), status=200 if receipt.repeat else 201
        )


def routes(
    port: ChannelPort, similar: SimilarPort, *, city: str, towns: Sequence[str], limit: RateLimit | None = None,
    looks: RateLimit | None = None, proxies: int = 0,
) -> list[web.AbstractRouteDef]:
    """Return the routes.

    Args:
        limit: of joining, per address, shared with `channels.appeals`; 20 a minute where not given.
        looks: of looks before sending, per address; 60 a minute where not given.
    """
    handlers = SimilarReports(
        port, similar, towns=Towns(city=city, towns=tuple(towns)), looks=looks or RateLimit(60, 60),
        appeals=limit or RateLimit(20, 60), proxies=proxies,
    )
    return [
        web.get("/api/v1/towns", handlers.towns), web.post("/api/v1/appeals/look", handlers.look),
        web.post("/api/v1/tickets/{number}/joins", handlers.join),
    ]
