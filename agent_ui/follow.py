"""Following topics, and coming back: what a console missed, then what is live, with nothing in between.

`agent_ui.session` decides how; here it is carried out over the console's socket, its row and the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from agent_ui.connection import Console
from agent_ui.hub import Encoded, Hub, joined
from agent_ui.limits import Limits
from agent_ui.ports import ConsoleStore
from agent_ui.protocol import TooOld
from agent_ui.session import Resume, Session, follow, plan_resume


def move(console: Console, session: Session) -> None:
    """Let the console follow what `session` says from its row's next events on."""
    if not console.dropped:
        console.row.place(console, console.session.topics, session.topics)
        console.session = session


async def take_up(console: Console, topics: Iterable[str], *, store: ConsoleStore, limits: Limits) -> None:
    """Follow more topics; the first time after coming back, what was missed is sent before.

    Raises:
        Forbidden, InvalidInput: as `agent_ui.session.follow`; nothing has changed then.
        Unavailable: the log does not answer; nothing is followed yet, the console may ask again.
    """
    session, last_seq = follow(console.session, topics), console.session.resume_from
    row = console.row
    plan = Resume.MEMORY if last_seq is None else await _planned(last_seq, row=row, store=store, limits=limits)
    match plan:
        case Resume.TOO_OLD:
            move(console, session)
            await console.send(TooOld(seq=row.seq))
        case Resume.MEMORY | Resume.AHEAD | Resume.DATABASE:
            if last_seq is None:
                move(console, session)
            else:
                await _catch_up(console, session, last_seq, store=store, page=limits.page)
        case _:
            assert_never(plan)


async def _planned(last_seq: int, *, row: Hub[Console], store: ConsoleStore, limits: Limits) -> Resume:
    if row.floor <= last_seq <= row.seq:
        return Resume.MEMORY
    missed = await store.count_after(last_seq, limit=limits.replay + 1) if last_seq < row.floor else 0
    horizon = await store.horizon()
    return plan_resume(
        last_seq, floor=row.floor, live=row.seq, horizon=horizon, missed=missed, limit=limits.replay
    )


async def _catch_up(console: Console, session: Session, cursor: int, *, store: ConsoleStore, page: int) -> None:
    """Send page by page what comes after `cursor`, from the log, then from memory; then go live."""
    row = console.row
    while not console.dropped:
        if cursor < row.floor:
            replayed = await store.replay(cursor, session.topics, limit=page)
            missed, cursor = [Encoded(event) for event in replayed.events], replayed.through
        else:
            missed = row.missed(cursor, session.topics)
            if len(missed) <= page:
                break
            missed = missed[:page]
            cursor = missed[-1].seq
        if missed:
            await console.send(joined(missed))
    # From here to the write nothing is awaited: no event can come between what was missed and what is live.
    missed = row.missed(cursor, session.topics)
    console.ahead_to = cursor
    move(console, session)
    if missed:
        await console.send(joined(missed))
