"""What the stand-ins share: the true protocol's signature, and faults that are switched while they run.

`PUT /faults {"fault": …, "delay": …}` chooses one of the stand-in's own. Four of them mean the same everywhere:
`slow` answers after `delay` seconds, `down` cuts every connection unanswered, `error` answers 500, and `twice` (each
stand-in's own doing) takes what came, cuts the connection, and answers the repeat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, ClassVar

import msgspec
from aiohttp import web

from hotline.errors import HotlineError, Unauthenticated
from hotline.signing import verify


class FaultBody(msgspec.Struct, frozen=True):
    """What `PUT /faults` takes."""

    fault: str
    delay: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0


class StandIn:
    """Base of stand-ins. `ANSWERS` says what faults answer beside those that mean the same everywhere."""

    FAULTS: ClassVar[tuple[str, ...]]
    ANSWERS: ClassVar[Mapping[str, tuple[int, object]]] = MappingProxyType({})

    def __init__(
        self, *, secret: str, fault: str = "none", delay: float = 2.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.fault, self._secret, self._delay, self._clock = fault, secret, delay, clock

    async def set_fault(self, request: web.Request) -> web.Response:
        """Handle `PUT /faults`; 400 for a fault that this stand-in does not know."""
        try:
            body = msgspec.json.decode(await request.read(), type=FaultBody)
        except msgspec.DecodeError as error:
            return json_answer({"error": str(error)}, status=400)
        if body.fault not in self.FAULTS:
            return json_answer({"error": f"fault is one of {', '.join(self.FAULTS)}"}, status=400)
        self.fault, self._delay = body.fault, body.delay
        return json_answer({"fault": self.fault})

    async def struck(self, request: web.Request) -> web.Response | None:
        """Return what the present fault answers instead, None where the request goes on (after the delay of `slow`)."""
        if self.fault == "down":
            return cut(request)
        if self.fault == "slow":
            await asyncio.sleep(self._delay)
        status, answer = {"error": (500, {"error": "broken"}), **self.ANSWERS}.get(self.fault, (0, None))
        return json_answer(answer, status=status) if status else None

    def check(self, request: web.Request, body: bytes) -> None:
        """Check the signature as the true other side would. Raises Unauthenticated."""
        headers = request.headers
        verify(self._secret, headers.get("X-Timestamp", ""), headers.get("X-Signature", ""), body, now=self._clock())


def json_answer(value: object, *, status: int = 200) -> web.Response:
    """Return a value as JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def refused(error: HotlineError | msgspec.DecodeError) -> web.Response:
    """Return 401 for a wrong signature, 400 for anything else."""
    status = 401 if isinstance(error, Unauthenticated) else 400
    return json_answer({"error": error.detail if isinstance(error, HotlineError) else str(error)}, status=status)


def cut(request: web.Request) -> web.Response:
    """Break the connection; nobody sees what is returned."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
