"""Conversations of WeChat and chats: to which ticket what its citizen says next belongs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from channels.message import Outbound
from hotline.ids import TicketNumber
from hotline.store import rows
from hotline.store.database import statements
from hotline.store.sealing import index_of
from hotline.terms import Channel

_SQL = statements("tickets")
WINDOW = timedelta(hours=2)
"""How long after the last word of either side a message goes on in the same ticket."""
_TALKING = frozenset({Channel.WECHAT, Channel.WEB})


async def turn(connection: asyncpg.Connection, messages: Sequence[Outbound], now: datetime) -> None:
    """Let conversations go on in the tickets that we write about; of several to one citizen a question counts."""
    turned: dict[tuple[Channel, str], tuple[TicketNumber, bool]] = {}
    for message in sorted(messages, key=lambda one: one.asks):
        if message.channel in _TALKING and message.number is not None:
            turned[message.channel, index_of(message.to)] = message.number, message.asks
    if turned:
        columns = rows.columns([(*talk, *told) for talk, told in turned.items()], 4)
        await connection.execute(_SQL["turn_conversations"], *columns, now, now - WINDOW)
