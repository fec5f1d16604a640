"""When the line to the PBX is there anew: calls are told what they missed, and nobody is left on a line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hotline.telephone_ports import CallStore, Pbx, PbxChannel
from hotline.telephone_queue import Happen, Queues
from routing import call_words as m
from routing.call_wait import FULL
from routing.calls import Call, Leg, Phase


async def caught_up(
    pbx: Pbx, store: CallStore, calls: Mapping[str, Call], queues: Queues, happen: Happen,
    follow: Callable[[Call], None],
) -> None:
    """Tell each call who has gone and who has answered, let those wait on who waited, and let in who called meanwhile.

    Raises:
        Unavailable: the PBX or the database does not answer.
    """
    there = {channel.id: channel for channel in await pbx.channels()}
    for call in list(calls.values()):
        for leg in call.legs:
            await _missed_meanwhile(call.id, leg, there, happen)
        if (left := calls.get(call.id)) is not None:
            await _goes_on(left, queues, happen, follow)
    for channel in there.values():
        await _let_in(channel, pbx, store, calls, happen)


async def _missed_meanwhile(call_id: str, leg: Leg, there: Mapping[str, PbxChannel], happen: Happen) -> None:
    found = there.get(leg.channel)
    if found is None:
        await happen(call_id, m.Gone(leg.channel))
    elif not leg.up and found.state == "Up":
        await happen(call_id, m.Up(leg.channel))


async def _goes_on(call: Call, queues: Queues, happen: Happen, follow: Callable[[Call], None]) -> None:
    if call.phase is Phase.WAITING and call.id not in queues.board.waiting and not call.full:
        await queues.enqueue(call)
    if call.phase is Phase.GREETING or call.full:
        await happen(call.id, m.Played(call.id, FULL if call.full else ""))
    elif call.playing:
        await happen(call.id, m.Played(call.id, call.playing))
    follow(call)


async def _let_in(
    channel: PbxChannel, pbx: Pbx, store: CallStore, calls: Mapping[str, Call], happen: Happen
) -> None:
    """A PBX that dials us lets calls in while nobody hears it. What a call that has ended left over is hung up."""
    entered = channel.entered
    if entered is None or channel.id in calls:
        return
    if await store.is_over(channel.id):
        await pbx.perform(m.Hang(channel.id))
    else:
        await happen(channel.id, entered)
