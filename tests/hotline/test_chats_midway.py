"""Chats whose giving a failure of the database has cut short are given all the same."""

from __future__ import annotations

import pytest

from hotline import commands as c
from hotline.errors import Unavailable
from hotline.store.telephone import TelephoneStore
from routing.calls import Call, Phase
from tests.cities import NOW
from tests.hotline.test_chat_queue import house_of


async def test_a_chat_that_was_to_be_given_when_another_claim_failed_is_given(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has room for the call that waits, and another for the chat behind it; the database fails with the call."""
    async def away(*_: object, **__: object) -> bool:
        raise Unavailable("the database does not answer")

    async with house_of(database) as house:
        await house.agent("wang", '{"general": 1}', free_for=200)
        await house.agent("li", '{"general": 1}')
        first, second = await house.chats("a", "b")
        assert await house.tick() == {"wang": [first], "li": [second]}
        call = Call(id="c1", caller="13800138000", called="12345", queue="general", arrived=NOW, phase=Phase.WAITING)
        house.calls["c1"] = call
        await house.desk.enqueue(call)
        await house.chats("c")
        assert "" in await house.tick()
        await house.act(first, c.Answer(text="请到窗口办理"))
        with monkeypatch.context() as patch:
            patch.setattr(TelephoneStore, "set_presence", away)
            with pytest.raises(Unavailable):
                await house.tick()
        house.desk.look_anew()
        assert "" not in await house.tick()
