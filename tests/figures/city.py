"""A small city whose tickets live at random in a real database, with the figures' reader running beside them."""

from __future__ import annotations

import random
from datetime import datetime

import asyncpg

from hotline.errors import RuleViolation
from hotline.events import Actor, Role
from hotline.ids import TicketId
from hotline.metrics import FROM_TICKETS, Reason
from hotline.store.metrics import MetricStore
from hotline.terms import State
from hotline.ticket import Ticket
from tests.figures.lives import born, lived, pause, write_more, write_new


class City:
    """Tickets in a database and their moved clock."""

    def __init__(self, pool: asyncpg.Pool, seed: int, now: datetime) -> None:
        self.pool, self.random, self.now = pool, random.Random(seed), now
        self.tickets: dict[int, Ticket] = {}

    async def happen(self, count: int) -> None:
        """Let so many things happen: births, commands, now and then an exclusion."""
        for _ in range(count):
            self.now += pause(self.random) / 40
            if not self.tickets or self.random.random() < 0.15:
                await self._birth()
            elif self.random.random() < 0.03:
                await self._exclusion()
            else:
                await self._command()

    async def _birth(self) -> None:
        id_ = TicketId(len(self.tickets) + 1)
        change = born(self.random, self.now, id_)
        async with self.pool.acquire() as connection, connection.transaction():
            await write_new(connection, id_, change)
        self.tickets[id_] = change.ticket

    async def _command(self) -> None:
        id_ = self.random.choice(list(self.tickets))
        if self.tickets[id_].state is State.ARCHIVED:
            return
        change = lived(self.random, self.tickets[id_], self.now)
        if change is None:
            return
        async with self.pool.acquire() as connection, connection.transaction():
            await write_more(connection, id_, change)
        self.tickets[id_] = change.ticket

    async def _exclusion(self) -> None:
        ticket = self.random.choice(list(self.tickets.values()))
        try:
            await MetricStore(self.pool).exclude(
                ticket.number, self.random.choice(FROM_TICKETS), excluded=self.random.random() < 0.7,
                reason=Reason.UNREASONABLE, note="核实后剔除", actor=Actor(Role.SUPERVISOR, "s1"), now=self.now,
            )
        except RuleViolation:
            return  # it was so already
