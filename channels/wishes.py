"""Adapter for micro-wishes: anybody sees what is published; the platform 民生大莞家 brings wishes and donors."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web

from channels.appeal_codec import AppealAnswer, answer_of
from channels.kit import json_response
from channels.openapi_document import Operation
from channels.port import AppealPort
from channels.signed import signed_body
from channels.ticket_codec import number_of
from channels.wishes_codec import (
    PledgeBody,
    PledgeEnd,
    PublicWish,
    PublicWishes,
    WishBody,
    decode_end,
    decode_pledge,
    decode_wish,
)
from hotline import commands as c
from hotline.errors import NotFound
from hotline.events import Actor, Role
from hotline.ports import Acted, Clock, Once

_BASE = "/api/v1/wishes"
_PLATFORM = Actor(Role.SYSTEM, "民生大莞家")


class WishRows(Protocol):
    """What is published (`hotline.store.wishes.WishStore`)."""

    async def published(self, *, cursor: str) -> PublicWishes:
        """Return a page of published wishes, the newest first. Raises InvalidInput for a made-up cursor."""
        ...

    async def find(self, number: str) -> PublicWish | None:
        """Return one published wish, None where there is none."""
        ...


class ActOnce(Protocol):
    """Carries out a command under a key (`hotline.service.Service.act_once`)."""

    def __call__(self, number: str, command: c.Command, *, actor: Actor, once: Once) -> Awaitable[Acted]:
        """Return what it led to; a repeat of the key changes nothing."""
        ...


class Wishes:
    """Handlers."""

    def __init__(self, port: AppealPort, rows: WishRows, act_once: ActOnce, secret: str, clock: Clock) -> None:
        self._port, self._rows, self._act_once = port, rows, act_once
        self._secret, self._clock = secret, clock

    async def published(self, request: web.Request) -> web.Response:
        """What is published."""
        return json_response(await self._rows.published(cursor=request.query.get("cursor", "")))

    async def one(self, request: web.Request) -> web.Response:
        """One wish."""
        return json_response(await self._shown(number_of(request.match_info["number"])))

    async def bring(self, request: web.Request) -> web.Response:
        """Take a wish: 201, or 200 with the same body for a repeated key."""
        body = await signed_body(request, self._secret, self._clock)
        receipt = await self._port.submit(decode_wish(body, now=self._port.now()))
        return json_response(answer_of(receipt), status=200 if receipt.repeat else 201)

    async def pledge(self, request: web.Request) -> web.Response:
        """A donor promises."""
        return await self._acted(request, decode_pledge)

    async def end(self, request: web.Request) -> web.Response:
        """A promise is kept, or cannot be."""
        return await self._acted(request, decode_end)

    async def _acted(
        self, request: web.Request, decode: Callable[[bytes, str], c.PledgeWish | c.DeliverWish | c.CancelPledge]
    ) -> web.Response:
        body = await signed_body(request, self._secret, self._clock)
        number = number_of(request.match_info["number"])
        command = decode(body, number)
        once = Once(
            unit=_PLATFORM.name, key=f"{number}:{command.pledge}:{c.tag_of(type(command))}",
            content_hash=hashlib.blake2b(body, digest_size=16).digest(),
        )
        acted = await self._act_once(number, command, actor=_PLATFORM, once=once)
        return json_response(await self._shown(number), status=200 if acted.repeat else 201)

    async def _shown(self, number: str) -> PublicWish:
        found = await self._rows.find(number)
        if found is None:
            raise NotFound("there is no published wish with this number")
        return found


def routes(
    port: AppealPort, rows: WishRows, act_once: ActOnce, *, secret: str, clock: Clock
) -> list[web.AbstractRouteDef]:
    """Return the routes; with the secret "" only the public ones answer."""
    wishes = Wishes(port, rows, act_once, secret, clock)
    return [
        web.get(_BASE, wishes.published), web.get(f"{_BASE}/{{number}}", wishes.one), web.post(_BASE, wishes.bring),
        web.post(f"{_BASE}/{{number}}/pledges", wishes.pledge), web.post(f"{_BASE}/{{number}}/ends", wishes.end),
    ]


_JSON = "application/json"
_SIGNED = ("timestamp", "hmac")
_ACTED = {201: (_JSON, PublicWish), 200: (_JSON, PublicWish)}
_ERRORS = ("unauthenticated", "not_found", "rule_violation", "idempotency_key_reused")
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="get", path=_BASE, tag="微心愿", summary="Published wishes",
        query={"cursor": "`next` of the page before"},
        answers={200: (_JSON, PublicWishes)},
    ),
    Operation(
        method="get", path=f"{_BASE}/{{number}}", tag="微心愿", summary="One published wish", parameters=("number",),
        answers={200: (_JSON, PublicWish)}, errors=("not_found",),
    ),
    Operation(
        method="post", path=_BASE, tag="微心愿", summary="The platform brings a wish, signed", parameters=_SIGNED,
        body={_JSON: WishBody}, answers={201: (_JSON, AppealAnswer), 200: (_JSON, AppealAnswer)},
        errors=("unauthenticated", "idempotency_key_reused", "overloaded"),
    ),
    Operation(
        method="post", path=f"{_BASE}/{{number}}/pledges", tag="微心愿", summary="A donor promises, signed",
        parameters=("number", *_SIGNED), body={_JSON: PledgeBody}, answers=_ACTED, errors=_ERRORS,
    ),
    Operation(
        method="post", path=f"{_BASE}/{{number}}/ends", tag="微心愿", summary="A promise is kept or cancelled, signed",
        parameters=("number", *_SIGNED), body={_JSON: PledgeEnd}, answers=_ACTED, errors=_ERRORS,
    ),
)
