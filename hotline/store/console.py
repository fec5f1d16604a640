"""What consoles read from PostgreSQL, and presence. No statement here holds a transaction across anything else."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from agent_ui import presence as rules_of
from agent_ui.ports import Found, Missed, Page
from agent_ui.presence import NotReadyReason, Presence, PresenceState, forced_presence, next_presence
from agent_ui.protocol import Search, TakeSnapshot
from channels.phone_number import normalize_phone
from hotline.audit import Record
from hotline.errors import InvalidInput, NotFound, Unavailable
from hotline.feed import CALLBACK_TOPIC, PRESENCE_TOPIC, FeedEvent
from hotline.ids import TicketId
from hotline.store import rows
from hotline.store.audit import keep
from hotline.store.callbacks import waiting
from hotline.store.database import LOST, statements
from hotline.store.sealing import blind
from hotline.store.search import query
from hotline.store.tail import event_from_row
from hotline.summary import CENTRE_STATES, Summary
from hotline.terms import State
from hotline.ticket import replay

_SQL = statements("console")
_summaries = msgspec.json.Decoder(Summary)
_CURSOR = re.compile(r"(\d{1,16})-(\d{1,18})")
_NUMBER = re.compile(r"\d{7}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOP = (datetime(9999, 1, 1, tzinfo=UTC), 2**62)
_LISTS = {
    "tickets": "list_states", "centre": "list_states", "department": "list_department", "agent": "list_agent",
    "emergency": "list_emergency", "alarms": "list_alarms",
    "supervised": "list_supervised", "ticket": "list_ticket",
}


def cursor_of(created_at: datetime, id_: int) -> str:
    """Return the cursor of a row: microseconds since 1970 and the id."""
    return f"{(created_at - _EPOCH) // timedelta(microseconds=1)}-{id_}"


def position_of(cursor: str) -> tuple[datetime, int]:
    """Return where a page begins, "" for the top; raises InvalidInput for a made-up cursor."""
    if not cursor:
        return _TOP
    match = _CURSOR.fullmatch(cursor)
    try:
        if match is not None:
            return _EPOCH + timedelta(microseconds=int(match[1])), int(match[2])
    except OverflowError:
        pass  # beyond the calendar: as wrong as any other made-up cursor
    raise InvalidInput("the cursor is not one that a page gave as `next`")


class ConsoleStore:
    """Reads for consoles on a pool. Fulfils `agent_ui.ports.ConsoleStore`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool, self._sight = pool, rules_of.NEVER_LOOKED

    async def _fetch(self, name: str, *parameters: object) -> list[asyncpg.Record]:
        try:
            return list(await self._pool.fetch(_SQL[name], *parameters))
        except LOST as error:
            raise _unavailable(error) from error

    # ── the log ──────────────────────────────────────────────────────────────────────────────────
    async def horizon(self) -> int:
        """Return the end of the readable log."""
        return int((await self._fetch("horizon"))[0][0])

    async def count_after(self, seq: int, *, limit: int) -> int:
        """Return how many ticket events come after `seq`, at most `limit`."""
        return int((await self._fetch("count_after", seq, limit))[0][0])

    async def replay(self, after: int, topics: Collection[str], *, limit: int) -> Missed:
        """Return the next events of these topics after `after`, at most `limit`."""
        found = await self._fetch("replay", after, sorted(topics), limit)
        events = tuple(event_from_row(row) for row in found if row["position"] is not None)
        return Missed(events=events, through=_through(events, found[0]["horizon"], limit))

    # ── lists and tickets ────────────────────────────────────────────────────────────────────────
    async def snapshot(self, asked: TakeSnapshot) -> Page:
        """Return a page of a topic's list; the topic was checked. Raises InvalidInput for a made-up cursor."""
        if asked.topic == PRESENCE_TOPIC:
            return await self._presences()
        if asked.topic == CALLBACK_TOPIC:
            return await self._waiting_callbacks(asked)
        kind, _, name = asked.topic.partition(":")
        states = set(asked.states) or set(State)
        if kind == "centre":
            states &= CENTRE_STATES
        at, id_ = position_of(asked.cursor)
        found = await self._fetch(_LISTS[kind], sorted(states), at, id_, asked.limit + 1, name)
        return _page(found, asked.limit)

    async def _presences(self) -> Page:
        found = await self._fetch("list_presence")
        present = [_presence(row["staff"], row) for row in found if row["staff"] is not None]
        return Page(seq=found[0]["seq"], rows=tuple(msgspec.Raw(msgspec.json.encode(one)) for one in present))

    async def _waiting_callbacks(self, asked: TakeSnapshot) -> Page:
        try:
            page, end = await waiting(self._pool, position_of(asked.cursor) if asked.cursor else None, asked.limit)
        except LOST as error:
            raise _unavailable(error) from error
        return page if end is None else msgspec.structs.replace(page, next=cursor_of(*end))

    async def find(self, number: str, *, since_version: int = 0) -> Found:
        """Return a ticket with its events after a version. Raises NotFound."""
        found = await self._fetch("find", number)
        if not found:
            raise NotFound(f"there is no ticket {number}")
        events = [rows.event_from(row["doc"], row["sealed"]) for row in await self._fetch("history", found[0]["id"])]
        return Found(
            id=TicketId(found[0]["id"]), ticket=replay(events), summary=_summaries.decode(found[0]["summary"]),
            events=tuple(event for event in events if event.version > since_version),
        )

    async def follow_ups(self, staff: str, *, now: datetime, limit: int) -> list[tuple[str, int, bool]]:
        """Return number, version and whether they have it, of tickets whose follow-up is due: theirs first."""
        found = await self._fetch("follow_ups", staff, now, limit)
        return [(row["number"], row["version"], row["own"]) for row in found]

    async def search(self, asked: Search, *, department: str = "") -> Page:
        """Return what a search finds, of one department only where given. Raises InvalidInput."""
        phone = normalize_phone(asked.phone) if asked.phone.strip() else ""
        if department and _NUMBER.search(asked.text):
            raise InvalidInput("words hold a long number: search by phone or by ticket number instead")
        words = query(asked.text)
        if not (asked.number or phone or words):
            raise InvalidInput("a search needs a number, a phone or some words")
        at, id_ = position_of(asked.cursor)
        states = sorted(set(asked.states) or set(State))
        parameters = [states, at, id_, asked.limit + 1, asked.number.strip(), blind(phone), department]
        if words:
            found = await self._fetch("search_words", *parameters, query(asked.text, unit=department))
        else:
            found = await self._planned_anew("search", *parameters)
        return _page(found, asked.limit)

    async def _planned_anew(self, name: str, *parameters: object) -> list[asyncpg.Record]:
        """Fetch where what is given decides which index serves, so that a plan for all cases would serve none."""
        try:
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
                return list(await connection.fetch(_SQL[name], *parameters))
        except LOST as error:
            raise _unavailable(error) from error

    # ── presence ─────────────────────────────────────────────────────────────────────────────────
    async def set_presence(
        self, staff: str, state: PresenceState, reason: NotReadyReason | None, *, now: datetime, lease: float
    ) -> Presence:
        """Change somebody's presence and tell it. Raises InvalidInput, IllegalTransition."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_SQL["hold_presence"], staff)
                row = await connection.fetchrow(_SQL["presence"], staff)
                before = _presence(staff, row) if row else Presence(staff=staff, state=PresenceState.OFFLINE, since=now)
                after = next_presence(before, state, reason, now=now)
                await connection.execute(
                    _SQL["put_presence"], staff, after.state, after.reason, after.since, lease
                )
                if after != before:
                    await _tell(connection, after, now)
        except LOST as error:
            raise _unavailable(error) from error
        return after

    async def force_presence(
        self, staff: str, state: PresenceState, reason: NotReadyReason | None, *, by: str, now: datetime
    ) -> Presence:
        """Change the presence of somebody else; their lease stays. Raises InvalidInput, IllegalTransition."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_SQL["hold_presence"], staff)
                row = await connection.fetchrow(_SQL["presence"], staff)
                before = _presence(staff, row) if row else Presence(staff=staff, state=PresenceState.OFFLINE, since=now)
                after = forced_presence(before, state, reason, now=now)
                await connection.execute(_SQL["change_presence"], staff, after.state, after.reason, after.since)
                await _tell(connection, after, now, by=by)
                await keep(connection, Record(
                    at=now, actor=f"supervisor:{by}", act="presence.force", subject=staff,
                    detail={"state": after.state, "reason": after.reason},
                ))
        except LOST as error:
            raise _unavailable(error) from error
        return after

    async def keep_leases(self, seconds: Mapping[str, float], *, lease: float) -> None:
        """Lengthen leases to at least so many seconds from now, by the database's clock; end those that ran out."""
        await self._fetch("renew_leases", list(seconds), list(seconds.values()))  # without any it is a look
        self._sight = rules_of.looked(self._sight, now=asyncio.get_running_loop().time(), lease=lease)
        if rules_of.may_judge(self._sight, lease=lease) and await self._fetch("expire_leases"):
            await self._wake()

    async def _wake(self) -> None:
        await self._pool.execute("NOTIFY hotline_events")

    async def watch(
        self, sessions: Collection[int], active: Collection[int], *, now: datetime, idle: float
    ) -> frozenset[int]:
        """Note which sessions were used; return those that have ended or idled out, or whose account has."""
        if active:
            await self._fetch("touch_sessions", list(active), now)
        ended = await self._fetch("ended", list(sessions), now, now - timedelta(seconds=idle))
        return frozenset(row["id"] for row in ended)


async def _tell(connection: asyncpg.Connection, presence: Presence, now: datetime, *, by: str = "") -> None:
    doc = msgspec.to_builtins(presence) | {"actor": f"staff:{by or presence.staff}"}
    free = presence.staff if presence.state is PresenceState.AVAILABLE else ""
    await connection.execute(_SQL["tell_presence"], now, rows.to_json(doc), free)


def _presence(staff: str, row: Mapping[str, Any]) -> Presence:
    return Presence(staff=staff, state=PresenceState(row["state"]), since=row["since"], reason=row["reason"])


def _through(events: Sequence[FeedEvent], horizon: int, limit: int) -> int:
    return events[-1].seq if len(events) == limit else horizon - 1


def _page(found: Sequence[asyncpg.Record], limit: int) -> Page:
    listed = [row for row in found if row["id"] is not None]
    more = len(listed) > limit
    return Page(
        seq=found[0]["seq"], rows=tuple(msgspec.Raw(row["summary"].encode()) for row in listed[:limit]),
        next=cursor_of(listed[limit - 1]["created_at"], listed[limit - 1]["id"]) if more else "",
    )


def _unavailable(error: BaseException) -> Unavailable:
    return Unavailable(f"the database does not answer ({type(error).__name__}); please repeat in a moment")
