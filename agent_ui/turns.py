"""What a console says, frame by frame: signs of life, topics to follow, and requests, which are answered beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from agent_ui import protocol as p
from agent_ui.connection import Console
from agent_ui.follow import move, take_up
from agent_ui.limits import Limits
from agent_ui.ports import ConsoleStore
from agent_ui.requests import Request, Requests
from agent_ui.session import BY_HAND, unfollow
from hotline.errors import HotlineError, InvalidInput
from hotline.ports import Clock

log = structlog.get_logger(__name__)


class Turns:
    """Takes the frames of every console of a gateway."""

    def __init__(
        self, *, store: ConsoleStore, requests: Requests, clock: Clock, limits: Limits,
        drop: Callable[[Console, str], None],
    ) -> None:
        """`drop` lets go of a console, with the reason that it is told."""
        self._store, self._requests, self._clock, self._limits, self._drop = store, requests, clock, limits, drop

    async def take(self, console: Console, data: str | bytes) -> None:
        """Do what a frame asks, or tell why not; a request is answered when it is done."""
        console.heard = asyncio.get_running_loop().time()
        try:
            ask = p.decode(data)
            await self._turn(console, ask)
        except HotlineError as error:
            await console.send(p.error_of(error, p.id_of(data)))
            console.mistakes += isinstance(error, InvalidInput)
            if console.mistakes > self._limits.mistakes:
                self._drop(console, "too_many_mistakes")

    async def _turn(self, console: Console, ask: p.ConsoleFrame) -> None:
        match ask:
            case p.Ping():
                console.active |= ask.active
                await console.send(p.Pong(seq=console.sent, server_time=self._clock()))
            case p.Follow():
                await take_up(console, ask.topics, store=self._store, limits=self._limits)
            case p.Unfollow():
                move(console, unfollow(console.session, ask.topics))
            case p.Hello():
                raise InvalidInput("`hello` is said once; open another connection to log in anew")
            case _:  # every other frame is a request: the type checker holds `Request` to that
                console.active |= type(ask) in BY_HAND
                await self._begin(console, ask)

    async def _begin(self, console: Console, ask: Request) -> None:
        if len(console.outstanding) >= self._limits.outstanding:
            detail = f"{self._limits.outstanding} requests are under way; wait for their answers"
            await console.send(p.Error(id=ask.id, error_id="overloaded", detail=detail))
            return
        console.start(self._answer(console, ask))

    async def _answer(self, console: Console, ask: Request) -> None:
        frame: p.ServerFrame
        try:
            frame = await self._requests.answer(console.session.staff, ask)
        except HotlineError as error:
            frame = p.error_of(error, ask.id)
        except Exception:  # whatever it was, the console is owed an answer, and its other requests go on
            log.exception("console_request_failed", staff=console.session.staff.name, request=type(ask).__name__)
            frame = p.Error(id=ask.id, error_id="internal", detail="something went wrong here; please try again")
        await console.send(frame)
