"""What the board and the wall tell of calls of this moment, as the telephone writes them."""

from __future__ import annotations

from datetime import timedelta

from hotline.board import Queue, queue_of
from hotline.store.board import BoardStore
from hotline.store.database import open_pool
from hotline.store.telephone import TelephoneStore
from routing import call_words as m
from routing.calls import Role
from tests.routing.test_callflow import Story, handed_on, outgoing


async def test_who_is_handed_to_a_skill_group_waits_from_then_on(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        store, board = TelephoneStore(pool), BoardStore(pool)

        async def now_is(story: Story) -> Queue:
            """Return the queue ten seconds later."""
            await store.save(story.call, now=story.now)
            return (await board.board(story.now + timedelta(seconds=10))).queue

        story = Story().tell(m.Played("c1"))
        assert await now_is(story) == queue_of(waiting=1, longest=10, talking=0)
        story.tell(m.Assigned("wang", "PJSIP/wang")).up(Role.AGENT)
        assert await now_is(story) == queue_of(waiting=0, longest=None, talking=1)
        story.now += timedelta(minutes=5)
        story.tell(m.Requeue("enterprise"))
        assert await now_is(story) == queue_of(waiting=1, longest=10, talking=0)
        story.tell(m.Assigned("li", "PJSIP/li"))
        assert await now_is(story) == queue_of(waiting=1, longest=11, talking=0)
        story.tell(m.RungOut(story.channel(Role.AGENT)), m.Assigned("zhao", "PJSIP/zhao")).up(Role.AGENT)
        assert await now_is(story) == queue_of(waiting=0, longest=None, talking=1)


async def test_whom_we_called_waits_too_once_they_were_handed_to_a_skill_group(database: str) -> None:
    async with await open_pool(database, size=3) as pool:
        store, board = TelephoneStore(pool), BoardStore(pool)
        for story, waiting in ((outgoing(), 0), (handed_on(), 1)):
            await store.save(story.call, now=story.now)
            queue = (await board.board(story.now + timedelta(seconds=10))).queue
            assert queue == queue_of(waiting=waiting, longest=10 if waiting else None, talking=0)
