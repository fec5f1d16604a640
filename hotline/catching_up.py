"""When the line to the PBX is there anew, or a step failed: calls are told what they missed, and nobody is left on a
line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hotline.telephone_ports import CallStore, Pbx, PbxChannel
from hotline.telephone_queue import Happen, Queues
from routing import call_words as m
from routing.call_wait import FULL
from routing.calls import Call, Leg, Phase


def unheard_by(calls: Mapping[str, Call]) -> dict[str, m.Played]:
    """Return the ends of all that is played now: on a line that is new nobody tells of those that came before."""
    return {call.id: m.Played(call.id, _playing(call)) for call in calls.values() if _is_played_to(call)}


def _is_played_to(call: Call) -> bool:
    return call.phase is Phase.GREETING or call.full or call.playing != ""


def _playing(call: Call) -> str:
    return FULL if call.full else call.playing


async def caught_up(
    pbx: Pbx, store: CallStore, calls: Mapping[str, Call], queues: Queues, happen: Happen,
    follow: Callable[[Call], None], unheard: dict[str, m.Played],
) -> None:
    """Tell each call who has gone and who has answered, let those wait on who waited, and let in who called meanwhile.

    Args:
        unheard: the ends of what was played to calls, which the PBX tells no more; one that is told is taken out.

    Raises:
        Unavailable: the PBX or the database does not answer.
    """
    there = {channel.id: channel for channel in await pbx.channels()}
    for call in list(calls.values()):
        for leg in call.legs:
            await _missed_meanwhile(call.id, leg, there, happen)
        if (left := calls.get(call.id)) is not None:
            await _goes_on(left, queues, happen, follow, unheard)
    for channel in there.values():
        await _let_in(channel, pbx, store, calls, happen)


async def _missed_meanwhile(call_id: str, leg: Leg, there: Mapping[str, PbxChannel], happen: Happen) -> None:
    found = there.get(leg.channel)
    if found is None:
        await happen(call_id, m.Gone(leg.channel))
    elif not leg.up and found.state == "Up":
        await happen(call_id, m.Up(leg.channel))


async def _goes_on(
    call: Call, queues: Queues, happen: Happen, follow: Callable[[Call], None], unheard: dict[str, m.Played]
) -> None:
    if call.phase is Phase.WAITING and call.id not in queues.board.waiting and not call.full:
        await queues.enqueue(call)
    if (played := unheard.get(call.id)) is not None:
        await happen(call.id, played)
        del unheard[call.id]
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
