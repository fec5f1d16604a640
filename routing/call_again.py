"""Which of what the PBX did not answer, or was never asked, a call still asks for by now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import assert_never

from routing import call_words as m
from routing.call_moves import supervisor_up
from routing.call_words import PbxAction
from routing.calls import WAITS, Call, Ear, Leg, Phase, Role


def still_due(call: Call | None, action: PbxAction) -> bool:
    """Tell whether an action that may not have been carried out is to be asked for again.

    Not what is dialled: whether it rings is seen at the PBX. Nor what is played: who heard nothing goes on.

    Args:
        call: as it stands now; None where it is over.
    """
    if call is None:
        return isinstance(action, m.Hang | m.Dissolve)
    match action:
        case m.Hang(channel=channel):
            return not any(channel in (leg.channel, leg.snoop) for leg in call.legs)
        case m.Join(bridge=bridge, channels=channels):
            return _is_in(call, bridge, channels[0])
        case m.Part(bridge=bridge, channel=channel):
            return not _is_in(call, bridge, channel)
        case m.Dissolve(bridge=bridge):
            return not any(_is_in(call, bridge, leg.channel) for leg in call.legs)
        case m.Music(channel=channel, on=on):
            return call.leg(channel) is not None and on is _hears_music(call)
        case m.Hush(media=media):
            return call.playing != media
        case m.Snoop(snoop=snoop):
            return any(snoop == leg.snoop for leg in call.legs)
        case m.Record():
            return call.phase is Phase.TALKING
        case m.Answer() | m.Speak():
            return True
        case m.Dial() | m.Play():
            return False
        case _:
            assert_never(action)


def undone(call: Call, bridges: Mapping[str, Collection[str]]) -> tuple[PbxAction, ...]:
    """Return what brings each of a call to where its last step has them, which may have been written and no more.

    Args:
        bridges: the channels that the PBX has in each.
    """
    moves = [move for leg in call.legs for move in _moves(call, leg, bridges)]
    return (*moves, m.Record(call.bridge, call.id)) if call.phase is Phase.TALKING else (*moves,)


def _moves(call: Call, leg: Leg, bridges: Mapping[str, Collection[str]]) -> tuple[PbxAction, ...]:
    beside = leg.role is Role.SUPERVISOR and leg.ear is not Ear.BARGE
    bridge = f"ear~{call.id}" if beside else call.bridge
    wanted = _is_in(call, bridge, leg.channel)
    if wanted is (leg.channel in bridges.get(bridge, ())):
        return ()
    if beside:
        return tuple(one for one in supervisor_up(call, leg).actions if isinstance(one, PbxAction))
    move = m.Join(bridge, (leg.channel,)) if wanted else m.Part(bridge, leg.channel)
    music = m.Music(leg.channel, on=not wanted)
    if leg.role is not Role.CITIZEN:
        return (move,)
    return (music, move) if wanted else (move, music)


def _is_in(call: Call, bridge: str, channel: str) -> bool:
    """Tell whether a channel belongs into a bridge: that of the talk, or that in which a supervisor listens."""
    leg = call.leg(channel)
    if leg is None or not leg.up:
        return False
    if leg.role is Role.SUPERVISOR:
        return (bridge == call.bridge) is (leg.ear is Ear.BARGE)
    if leg.role is Role.CITIZEN and (leg.away or call.phase is not Phase.TALKING):
        return False
    return bridge == call.bridge


def _hears_music(call: Call) -> bool:
    waits = call.phase in WAITS and not call.playing
    return waits or call.held_since is not None
