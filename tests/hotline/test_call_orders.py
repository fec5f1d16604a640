"""Who is rung for what a console asks: staff whose names are numbers (工号) are rung as staff."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hotline.call_orders import OUTSIDE, carried_out, order_of
from hotline.errors import InvalidInput
from routing import call_words as m
from routing.call_orders import Asked, CallAct, CallOrder
from routing.call_wait import Preview
from tests.cities import NOW

PHONES = {"22830001": "PJSIP/boss", "1001": "PJSIP/1001"}


async def endpoint(name: str) -> str:
    return PHONES.get(name, "")


def asked(act: CallAct, to: str = "", *, staff: str = "22830001") -> Asked:
    return Asked(1, staff, CallOrder(call="c1", act=act, to=to, supervisor=True))


@pytest.mark.parametrize("act", [CallAct.LISTEN, CallAct.WHISPER, CallAct.BARGE])
async def test_a_supervisor_hears_on_their_own_telephone_only(act: CallAct) -> None:
    order = await order_of(asked(act), endpoint)
    assert isinstance(order, m.Supervise)
    assert order.endpoint == "PJSIP/boss"
    with pytest.raises(InvalidInput, match="no telephone"):
        await order_of(asked(act, staff="22830002"), endpoint)


@pytest.mark.parametrize(("to", "rung"), [
    ("1001", "PJSIP/1001"), ("22830001", "PJSIP/boss"), ("22830003", f"{OUTSIDE}+8676922830003"),
    ("110", f"{OUTSIDE}110"),
])
async def test_a_colleague_comes_before_a_telephone_number(to: str, rung: str) -> None:
    order = await order_of(asked(CallAct.CONSULT, to), endpoint)
    assert isinstance(order, m.Consult)
    assert order.endpoint == rung


class Desk:
    """Store and switch of one telephone: what is dialled is kept, and why something was refused."""

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}
        self.queues = SimpleNamespace(gone=self._nothing, is_on_a_call=lambda _: False)
        self.dialled: list[Preview] = []
        self.refused = ""

    async def _nothing(self, *_: object) -> None: ...

    async def endpoint(self, name: str) -> str:
        return await endpoint(name)

    async def set_presence(self, *_: object, **__: object) -> bool:
        return True

    async def dial(self, preview: Preview) -> None:
        self.dialled.append(preview)

    async def order_done(self, *_: object, error_id: str = "", **__: object) -> None:
        self.refused = error_id


async def test_whoever_calls_a_citizen_is_rung_at_their_own_telephone() -> None:
    desk: Any = Desk()
    await carried_out(asked(CallAct.DIAL, "13800138000", staff="1001"), desk, desk, now=NOW)
    assert [(one.endpoint, one.number) for one in desk.dialled] == [("PJSIP/1001", "+8613800138000")]
    await carried_out(asked(CallAct.DIAL, "13800138000", staff="22830002"), desk, desk, now=NOW)
    assert (len(desk.dialled), desk.refused) == (1, "invalid_input")


@pytest.mark.parametrize("supervisor", [False, True])
async def test_the_agents_own_key_is_told_from_a_supervisors(supervisor: bool) -> None:
    order = CallOrder(call="c1", act=CallAct.HANG_UP, supervisor=supervisor)
    assert await order_of(Asked(1, "1001", order), endpoint) == m.HangUp(own=not supervisor)
