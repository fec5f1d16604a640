"""Calls and agents of the telephone in PostgreSQL. Every change is one statement: nothing is held while others work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog

from agent_ui.presence import LEASE_SECONDS
from channels.phone_codec import caller_key
from hotline.errors import HotlineError, IllegalTransition, NotFound, Unavailable
from hotline.store.answering import answering
from hotline.store.call_cards import CallCards
from hotline.store.console import ConsoleStore
from hotline.store.database import statements
from hotline.store.sealing import blind, open_document, opened_order, seal_document, seal_text, sealed_order
from hotline.telephone_ports import AgentSeen
from routing.call_news import CallNews, CallWords, news_of
from routing.call_orders import Asked, CallOrder
from routing.calls import Call, Direction, Phase

log = structlog.get_logger(__name__)
_SQL = statements("telephone")
_calls = msgspec.json.Decoder(Call)
_orders = msgspec.json.Decoder(CallOrder)
USUAL_HANDLING = 240.0
"""Seconds of talk and wrap-up where no call tells better."""
CLAIMABLE = ("available", "not_ready", "wrap_up")
"""In which presence somebody may be brought into a colleague's call."""
ORDER_WAIT, _LOOK = 5.0, 0.05
"""Seconds that a console waits for what it asked, and between two looks."""
_levels = msgspec.json.Decoder(dict[str, int])


class TelephoneStore:
    """Implements `hotline.telephone.CallStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._cards, self._console = pool, CallCards(pool), ConsoleStore(pool)

    async def save(self, call: Call, *, now: datetime) -> None:
        """Write a call as it stands: whole while it lasts, and until nothing of it is left to be noted."""
        over, missed = call.phase is Phase.OVER, call.answered_at is None
        inbound, caller = call.direction is Direction.IN, caller_key(call.caller)
        whole = None if over and call.debt is None else seal_document(call, context=f"call {call.id}")
        with answering():
            await self._pool.execute(
                _SQL["save"], call.id, blind(caller), call.called, call.queue, call.agent, call.arrived,
                call.asked_at, now if call.phase is Phase.RINGING else None, call.answered_at,
                call.ended_at if over and missed and inbound and call.asked_at is not None else None, call.ended_at,
                round(call.held), call.id if call.answered_at is not None else "",
                whole, call.direction, call.language, call.callback, call.ticket,
                seal_text(caller, context=f"caller {call.id}"), call.colleague, call.waits_since or call.asked_at,
                [call.agent] if call.phase is Phase.TALKING and call.agent else [], list(call.unanswered),
            )

    async def settled(self, call: str) -> None:
        """Nothing of a call that is over is left to be noted."""
        with answering():
            await self._pool.execute(_SQL["settled"], call)

    async def is_over(self, call: str) -> bool:
        """Tell whether a call is known, and has ended."""
        with answering():
            return bool(await self._pool.fetchval(_SQL["is_over"], call))

    async def under_way(self) -> list[Call]:
        """Return the calls that are not over, and those that are but have left something to be noted."""
        with answering():
            found = await self._pool.fetch(_SQL["under_way"])
        return [_calls.decode(open_document(row["doc"], context=f"call {row['id']}")) for row in found]

    async def agents(self, *, among: Collection[str] | None = None) -> dict[str, AgentSeen]:
        """Return who has a living console, all or those of these names."""
        with answering():
            if among is None:
                found = await self._pool.fetch(_SQL["agents"])
            else:
                found = await self._pool.fetch(_SQL["agents_among"], list(among))
        return {
            row["staff"]: AgentSeen(
                state=row["state"], since=row["since"], endpoint=row["endpoint"], skills=_levels.decode(row["skills"])
            )
            for row in found
        }

    async def last_agent(self, caller: str) -> str:
        """Return who talked to a caller last, "" for nobody."""
        with answering():
            return await self._pool.fetchval(_SQL["last_agent"], blind(caller_key(caller))) or ""

    async def missed_since(self, caller: str, since: datetime) -> bool:
        """Tell whether a caller has got nobody since a moment."""
        with answering():
            return bool(await self._pool.fetchval(_SQL["missed_since"], blind(caller_key(caller)), since))

    async def handling(self) -> float:
        """Return the mean seconds of talk and wrap-up of the last calls."""
        with answering():
            return await self._pool.fetchval(_SQL["handling"]) or USUAL_HANDLING

    async def tell(
        self, call: Call, *, now: datetime, card: bool = False, marked: str = "", colleague: str = "", topic: str = ""
    ) -> None:
        """Tell the agent of a call, a `colleague` of theirs, or a `topic`, how it stands; with `card` who calls too."""
        who = await self._cards.card(call.caller, call=call.id, marked=marked) if card else None
        news = news_of(call, card=who, colleague=colleague)
        await self.tell_topic(topic or f"agent:{colleague or call.agent}", news, now=now)

    async def tell_topic(self, topic: str, news: CallNews | CallWords, *, now: datetime) -> None:
        """Tell consoles that follow a topic; kept for a day, so that who comes back misses nothing."""
        if isinstance(news, CallNews):
            kind, doc = "call", msgspec.json.encode(news).decode()
        else:
            kind, doc = "transcript", seal_document(news, context=f"told {topic}")
        with answering():
            await self._pool.execute(_SQL["tell"], now, topic, doc, kind)

    async def expire_leases(self) -> None:
        """Set those offline whose console is heard no more."""
        await self._console.keep_leases({}, lease=LEASE_SECONDS)

    async def set_presence(
        self, agent: str, state: str, *, among: Collection[str], now: datetime, reason: str = "", call: str = ""
    ) -> bool:
        """Change what an agent does, if they are in one of `among`; False where somebody was quicker."""
        with answering():
            changed = await self._pool.fetchval(_SQL["set_presence"], agent, state, reason, now, list(among), call)
        return changed is not None

    async def claim(self, agent: str, *, now: datetime, call: str) -> str:
        """Take a colleague out of the queue for a call; return the presence they go back to, "" for who is offline.

        Raises:
            IllegalTransition: they are on a call.
        """
        with answering():
            was = await self._pool.fetchrow(_SQL["claim"], agent, now, call, list(CLAIMABLE))
        if was is None or was["state"] == "offline":
            return ""
        if was["state"] not in CLAIMABLE:
            raise IllegalTransition(f"{agent} is {was['state']}: somebody who is on a call cannot be brought in")
        return f"{was['state']} {was['reason']}".strip()

    async def endpoint(self, agent: str) -> str:
        """Return where somebody is rung, "" for nowhere."""
        with answering():
            return await self._pool.fetchval(_SQL["endpoint"], agent) or ""

    # ── what consoles ask ────────────────────────────────────────────────────────────────────────
    async def ask(self, staff: str, order: CallOrder, *, now: datetime) -> None:
        """Ask for something and wait until it is done.

        Raises:
            HotlineError: why it was refused. Unavailable: nobody steers the PBX.
        """
        with answering():
            doc = msgspec.json.encode(sealed_order(order)).decode()
            id_ = await self._pool.fetchval(_SQL["ask"], order.call, staff, doc, now)
            for _ in range(round(ORDER_WAIT / _LOOK)):
                await asyncio.sleep(_LOOK)
                row = await self._pool.fetchrow(_SQL["outcome"], id_)
                if row["done_at"] is not None:
                    if row["error_id"]:
                        raise HotlineError(row["detail"], error_id=row["error_id"])
                    return
        raise Unavailable("the telephone does not answer at the moment: try again")

    async def orders(self, *, now: datetime) -> list[Asked]:
        """Return what consoles have asked for and is not done."""
        with answering():
            found = await self._pool.fetch(_SQL["orders"], now - timedelta(seconds=ORDER_WAIT))
        return [Asked(row["id"], row["staff"], opened_order(_orders.decode(row["doc"]))) for row in found]

    async def order_done(self, id_: int, *, now: datetime, error_id: str = "", detail: str = "") -> None:
        """Tell the asker how it went."""
        with answering():
            await self._pool.execute(_SQL["order_done"], id_, now, error_id, detail)

    async def forget(self, before: datetime) -> None:
        """Delete what consoles asked and were told before a time."""
        with answering():
            await self._pool.execute(_SQL["forget_orders"], before)
            await self._pool.execute(_SQL["forget_news"], before)

    async def wrapped_up(self, agent: str, *, began: datetime, ended: datetime) -> None:
        """Note how long the wrap-up of an agent's last call took."""
        with answering():
            await self._pool.execute(_SQL["wrapped_up"], agent, began, ended)

    async def give_phone(self, agent: str, endpoint: str, skills: Mapping[str, int]) -> None:
        """Tell where an agent is rung, and what they know. Raises NotFound for somebody without an account."""
        with answering():
            await give_phone(self._pool, agent, endpoint, skills)


async def give_phone(
    connection: asyncpg.Connection | asyncpg.Pool, agent: str, endpoint: str, skills: Mapping[str, int]
) -> None:
    """Tell where an agent is rung, in the caller's transaction. Raises NotFound for somebody without an account."""
    try:
        await connection.execute(_SQL["phone"], agent, endpoint, msgspec.json.encode(skills).decode())
    except asyncpg.ForeignKeyViolationError as error:
        raise NotFound(f"there is no account {agent}: make it with `user add`") from error
