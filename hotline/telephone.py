"""The telephone in use: what the PBX tells becomes steps of calls, the queue finds agents, the store remembers.

One process steers the PBX at a time. Each step is written before it is carried out, so another process goes on where
this one was killed: it reads the calls from the store, looks which channels the PBX still has, and tells itself what it
has missed. Calls in conversation are not touched by any of that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

import structlog

from hotline.announcing import Announcer
from hotline.call_debts import Debts
from hotline.call_orders import carried_out
from hotline.call_telling import Marked, Teller
from hotline.catching_up import CatchingUp
from hotline.chat_queue import Chats
from hotline.errors import HotlineError, NotFound
from hotline.ports import Clock
from hotline.telephone_ports import ALONE, Books, CallStore, Pbx, Right, Times
from hotline.telephone_queue import Queues
from routing import call_words as m
from routing.call_wait import Preview, Reception, enter, place
from routing.callflow import step
from routing.calls import Call, Leg, Phase, Role
from routing.queue_plan import FIRST, Centre, reception_of, spoken_in

log = structlog.get_logger(__name__)
LAST_STEP = 3.0
"""Seconds that a step under way has when the process is stopped: a PBX that is away holds nobody up."""


async def _watched(right: Right) -> None:
    while True:
        await right.still()
        await asyncio.sleep(1.0)


class Telephone:
    """Steers the calls of one PBX. `run` never ends by itself."""

    def __init__(
        self, *, pbx: Pbx, store: CallStore, books: Books, clock: Clock, centre: Callable[[], Centre] = lambda: FIRST,
        chats: Chats | None = None, marked: Marked = lambda _: "", times: Times = Times(),
        follow: Callable[[Call], None] = lambda _: None,
    ) -> None:
        """`follow` is told each call after each of its steps; `chats` are given to agents too."""
        self._pbx, self._store, self._clock = pbx, store, clock
        self._centre, self._marked, self._times, self._follow = centre, marked, times, follow
        self._calls: dict[str, Call] = {}
        self.queues = Queues(
            store=store, centre=centre, clock=clock, times=times, calls=self._calls, happen=self._happen, chats=chats
        )
        self._debts = Debts(store, books, calls=self._calls, happen=self._happen)
        self._teller = Teller(store=store, debts=self._debts, marked=marked)
        self._announcer = Announcer(store=store, times=times, queues=self.queues, happen=self._happen)
        self._missed = CatchingUp(
            pbx=pbx, store=store, calls=self._calls, queues=self.queues, happen=self._happen, follow=follow
        )
        self._one, self._hears = asyncio.Lock(), False

    @property
    def calls(self) -> Mapping[str, Call]:
        """The calls under way."""
        return self._calls

    @property
    def hears(self) -> bool:
        """The PBX has begun to tell what happens; before, it hangs up who comes to us and whom it rings for us."""
        return self._hears

    async def run(self, *, right: Right = ALONE) -> None:
        """Steer until cancelled, or until the right to, asked for once a second, is lost: raises what that raises."""
        for call in await self._store.under_way():
            self._keep(call)
        lives = self._hear(), self._look(), self._heed(right), _watched(right)
        work = [asyncio.create_task(one) for one in lives]
        try:
            done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            await self._step_done()
            raise
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _step_done(self) -> None:
        """Let the step under way come to its end: what is written and not carried out the next process takes for done,
        and who has just picked up and the citizen would not hear each other."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_STEP), self._one:
                pass  # who waits for it is cancelled before they get it

    async def order(self, call_id: str, order: m.Order) -> Call:
        """Carry out what a console asks. Raises NotFound, IllegalTransition, Unavailable."""
        async with self._one:
            if call_id not in self._calls:
                raise NotFound(f"there is no call {call_id}")
            await self._happen(call_id, order)
            if call_id not in self._calls:
                raise NotFound(f"call {call_id} has ended")
            return self._calls[call_id]

    # ── hearing and looking ──────────────────────────────────────────────────────────────────────
    async def _hear(self) -> None:
        async for told in self._pbx.events():
            async with self._one:
                try:
                    if told is None:
                        self._hears = True
                        await self._missed.on_a_new_line()
                    else:
                        await self._happen(*told)
                except HotlineError as error:
                    self._missed.failed(told)
                    what = None if told is None else type(told[1]).__name__  # no more: it may hold who calls
                    log.warning("call_step_failed", call=told and told[0], told=what, error=error.detail)

    async def _look(self) -> None:
        while True:
            await self._tried(self._tick)
            await asyncio.sleep(self._times.tick)

    async def _heed(self, right: Right) -> None:
        while True:
            await self._tried(partial(self.queues.look_at, await right.freed()))

    async def _tried(self, look: Callable[[], Awaitable[None]]) -> None:
        async with self._one:
            try:
                await look()
            except HotlineError as error:
                self._missed.failed()  # callers and agents may have been taken off the board for what was not done
                log.warning("telephone_tick_failed", error=error.detail)

    async def _tick(self) -> None:
        now = self._clock()
        await self._debts.settle(now)
        if self._missed.due and self._hears:
            await self._missed.catch_up()
        await self.queues.tick(now)
        if self._hears:  # who asked waits
            for asked in await self._store.orders(now=now):
                if not await carried_out(asked, self, self._store, now=now):
                    self._missed.failed()
        await self._announcer.tick(now, self._calls)
        for call in list(self._calls.values()):
            if call.menu_since is not None and (now - call.menu_since).total_seconds() > self._times.choose:
                await self._happen(call.id, m.Unchosen())
            for leg in call.legs:
                if not leg.up and (now - leg.since).total_seconds() > self._longest(leg):
                    await self._happen(call.id, m.RungOut(leg.channel))

    def _longest(self, leg: Leg) -> float:
        return self._times.ring if leg.role is Role.AGENT or leg.claimed else self._times.outside

    # ── steps ────────────────────────────────────────────────────────────────────────────────────
    async def happen(self, call_id: str, event: m.Happening) -> None:
        """Let something happen to a call, for who holds the telephone already (`hotline.call_orders`)."""
        await self._happen(call_id, event)

    async def dial(self, preview: Preview) -> None:
        """Ring an agent and then who they want to call."""
        now = self._clock()
        call, actions = place(preview, now=now)
        await self._goes_on(None, call, actions, now)

    async def _happen(self, call_id: str, event: m.Happening) -> None:
        now, call = self._clock(), self._calls.get(call_id)
        if isinstance(event, m.Entered):
            if call is not None:
                return  # told twice
            after, actions = enter(event, reception=await self._received(event, now), now=now)
        elif call is not None:
            if isinstance(event, m.Digit) and (chosen := self._chosen(call, event)) is not None:
                event = chosen
            after, actions = step(call, event, now=now)
        else:  # of a call that is over
            if isinstance(event, m.Up):  # the PBX rang them after we had given that up
                await self._missed.perform(call_id, m.Hang(event.channel))
            return
        await self._goes_on(call, after, actions, now)

    async def _received(self, event: m.Entered, now: datetime) -> Reception:
        centre = self._centre()
        since = now - timedelta(hours=centre.repeat_hours)
        repeat = centre.repeat_head_start > 0 and await self._store.missed_since(event.caller, since)
        return reception_of(centre, event.called, repeat=repeat, marked=bool(self._marked(event.caller)))

    def _chosen(self, call: Call, event: m.Digit) -> m.Chosen | None:
        language = call.menu.get(event.digit)
        return m.Chosen(language, spoken_in(self._centre(), call.queue, language)) if language else None

    async def _goes_on(self, call: Call | None, after: Call, actions: tuple[m.Action, ...], now: datetime) -> None:
        if after == call and not actions:
            return
        await self._store.save(after, now=now)
        self._keep(after)
        unrung = []
        for action in actions:
            try:
                if not await self._carry_out(after, action, now) and isinstance(action, m.Dial):
                    unrung.append(action.channel)
            except HotlineError as error:  # the others are no less to be done: nobody stays on a line or busy
                self._missed.failed()
                what = type(action).__name__  # no more: it may hold who is rung, as a local number that no mask knows
                log.warning("call_action_failed", call=after.id, action=what, error=error.detail)
        await self._teller.tell(call, after, now)
        self._follow(after)
        await self._debts.settle(now)
        enqueue = next((action for action in actions if isinstance(action, m.Enqueue)), None)
        if enqueue is not None and self._calls.get(after.id) is after:
            await self.queues.enqueue(after, first=enqueue.first)  # last, as it may go on with the call at once
        for channel in unrung:  # told after the ringing, or consoles would go on ringing
            await self._happen(after.id, m.Gone(channel))

    def _keep(self, call: Call) -> None:
        if call.phase is not Phase.OVER:
            self._calls[call.id] = call
            return
        self._calls.pop(call.id, None)
        self.queues.leave(call.id)
        self._debts.add(call)

    async def _carry_out(self, call: Call, action: m.Action, now: datetime) -> bool:
        """Return whether it could be done."""
        match action:
            case m.Dequeue():
                self.queues.leave(call.id)
            case m.Free():
                await self.queues.free(action, now)
            case m.Enqueue() | m.Missed() | m.Tried() | m.Spoken():
                pass  # after the others: see `_goes_on`
            case _:
                return await self._missed.perform(call.id, action)
        return True
