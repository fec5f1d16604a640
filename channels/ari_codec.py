"""Asterisk's ARI ↔ our words: events to what happens to a call, actions to requests. Pure.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-REST-Interface-ARI/ (Asterisk 20–22). A channel that we ring
enters our application when it is answered, so its `StasisStart` is the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, assert_never
from urllib.parse import quote

import msgspec

from agent_ui.masking import mask_key
from channels.phone_codec import caller_key
from hotline.errors import UNREADABLE, Unavailable
from routing import call_words as m
from routing.callflow import OUTSIDE
from routing.calls import Role

APP = "hotline"
"""Our application at the PBX, unless the settings name another (`ari_app`)."""
FORMAT = "wav"


class _Number(msgspec.Struct, frozen=True):
    number: str = ""


class _Dialplan(msgspec.Struct, frozen=True):
    exten: str = ""
    app_name: str = ""
    app_data: str = ""


class PbxChannel(msgspec.Struct, frozen=True):
    """A channel as the PBX describes it; `state` is `Up` for one that talks. `ours`: the application that we are."""

    id: str
    state: str = ""
    ours: str = APP
    caller: _Number = _Number()
    dialplan: _Dialplan = _Dialplan()

    @property
    def entered(self) -> m.Entered | None:
        """A citizen's call in our application, as it came in; None for all others."""
        if call_of(self.id) != self.id or (self.dialplan.app_name, self.dialplan.app_data) != ("Stasis", self.ours):
            return None
        return m.Entered(self.id, self.caller.number, self.dialplan.exten)

    @property
    def dialled_for(self) -> str:
        """The call for which we rang it (`routing.call_moves.dialled`); "" for all others, taps and what spies too."""
        role, *parts = self.id.split("~")
        return parts[0] if role in set(Role) and len(parts) == 3 and parts[1].isdigit() else ""


class _Playback(msgspec.Struct, frozen=True):
    id: str = ""


class _Event(msgspec.Struct, frozen=True):
    type: str
    channel: PbxChannel | None = None
    playback: _Playback | None = None
    digit: str = ""
    cause: int = 0


class _Bridge(msgspec.Struct, frozen=True):
    id: str
    channels: tuple[str, ...] = ()


class Request(NamedTuple):
    """A call of the REST interface: method, path under `/ari`, query."""

    method: str
    path: str
    query: Mapping[str, str] = {}


_events = msgspec.json.Decoder(_Event)
_channels = msgspec.json.Decoder(list[PbxChannel])
_bridges = msgspec.json.Decoder(list[_Bridge])


def call_of(channel: str) -> str:
    """Return the call that a channel belongs to: ours are named after it, a citizen's own is the call."""
    parts = channel.split("~")
    return parts[1] if len(parts) > 2 and parts[0] in set(Role) else channel


def decode_event(data: str | bytes) -> tuple[str, m.Happening] | None:
    """Return the call and what happened to it; None for events that mean nothing to a call, unknown ones too."""
    try:
        event = _events.decode(data)
    except UNREADABLE:
        return None
    if event.playback is not None:
        return _played(event)
    if event.channel is None:
        return None
    happening = _happening(event, event.channel)
    return (call_of(event.channel.id), happening) if happening is not None else None


def _played(event: _Event) -> tuple[str, m.Happening] | None:
    media, tilde, channel = (event.playback.id if event.playback else "").partition("~")
    if event.type != "PlaybackFinished" or not tilde:
        return None
    return call_of(channel), m.Played(channel, media)


def _happening(event: _Event, channel: PbxChannel) -> m.Happening | None:
    match event.type:
        case "StasisStart" if call_of(channel.id) == channel.id:
            return m.Entered(channel.id, channel.caller.number, channel.dialplan.exten)
        case "StasisStart" if channel.dialled_for:
            return m.Up(channel.id)
        case "StasisEnd" | "ChannelDestroyed":
            return m.Gone(channel.id, event.cause)
        case "ChannelDtmfReceived" if call_of(channel.id) == channel.id or channel.id.startswith(f"{Role.CITIZEN}~"):
            return m.Digit(event.digit)
        case _:
            return None


def decode_channels(data: bytes, *, app: str = APP) -> list[PbxChannel]:
    """Return the channels that are there. Raises Unavailable for anything else."""
    try:
        return [msgspec.structs.replace(one, ours=app) for one in _channels.decode(data)]
    except UNREADABLE as error:
        raise Unavailable(f"the PBX tells no channels: {error}") from error


def decode_bridges(data: bytes) -> dict[str, frozenset[str]]:
    """Return the bridges that are there, with the channels in each. Raises Unavailable for anything else."""
    try:
        return {bridge.id: frozenset(bridge.channels) for bridge in _bridges.decode(data)}
    except UNREADABLE as error:
        raise Unavailable(f"the PBX tells no bridges: {error}") from error


def endpoint_of(endpoint: str, *, trunk: str) -> str:
    """Return where the PBX rings: an endpoint as it is, a number through the trunk.

    Args:
        trunk: pattern of the trunk's endpoint, `PJSIP/{number}@trunk`.
    """
    if not endpoint.startswith(OUTSIDE):
        return endpoint
    return trunk.replace("{number}", endpoint.removeprefix(OUTSIDE))


def shown(caller: str, endpoint: str, *, caller_id: str) -> str:
    """Return what a telephone shows that we ring: the hotline's number, one inside with the citizen's masked as a name.

    A citizen is not called under a number of their own, and no telephone tells more of it than a console does.
    """
    number = caller_key(caller)
    if endpoint.startswith(OUTSIDE) or not number.startswith("+"):
        return caller_id
    return f'"{mask_key(number)}" <{caller_id}>'


def requests_of(action: m.PbxAction, *, trunk: str, ring: int, caller_id: str, app: str = APP) -> list[Request]:
    """Return what to ask of the PBX for an action.

    Args:
        caller_id: the hotline's own number.
        ring: seconds that a telephone rings at most; our own timer is shorter, this one only tidies up.
    """
    match action:
        case m.Answer(channel=channel):
            return [Request("POST", f"/channels/{_q(channel)}/answer")]
        case m.Play(channel=channel, media=media, more=more):
            return [Request("POST", f"/channels/{_q(channel)}/play/{_q(f'{media}~{channel}')}",
                            {"media": ",".join(f"sound:{one}" for one in (media, *more))})]
        case m.Hush(channel=channel, media=media):
            return [Request("DELETE", f"/playbacks/{_q(f'{media}~{channel}')}")]
        case m.Speak(channel=channel, language=language):
            return [Request("POST", f"/channels/{_q(channel)}/variable",
                            {"variable": "CHANNEL(language)", "value": language})]
        case m.Music(channel=channel, on=on):
            return [Request("POST" if on else "DELETE", f"/channels/{_q(channel)}/moh")]
        case m.Dial(channel=channel, endpoint=endpoint, caller=caller):
            return [Request("POST", f"/channels/{_q(channel)}", {
                "endpoint": endpoint_of(endpoint, trunk=trunk), "app": app, "timeout": str(ring),
                "callerId": shown(caller, endpoint, caller_id=caller_id),
            })]
        case m.Hang(channel=channel):
            return [Request("DELETE", f"/channels/{_q(channel)}")]
        case m.Snoop(channel=channel, snoop=snoop, whisper=whisper):
            return [Request("POST", f"/channels/{_q(channel)}/snoop/{_q(snoop)}", {
                "app": app, "spy": "both", "whisper": "out" if whisper else "none",
            })]
        case _:
            return _bridge_requests(action)


def tap_requests(name: str, channel: str, id_: str, *, sound_to: str, app: str = APP) -> list[Request]:
    """Return what lets the sound of a channel come to `sound_to` (host:port) under an id; the last joins the two.

    What a party says is spied (`in`: read from their channel) and goes out by AudioSocket.
    """
    ear, out = f"{name}~ear", f"{name}~out"
    return [
        Request("POST", f"/channels/{_q(channel)}/snoop/{_q(ear)}", {"app": app, "spy": "in", "whisper": "none"}),
        Request("POST", "/channels/externalMedia", {
            "channelId": out, "app": app, "external_host": sound_to, "encapsulation": "audiosocket",
            "transport": "tcp", "connection_type": "client", "format": "slin", "data": id_,
        }),
        Request("POST", f"/bridges/{_q(name)}", {"type": "mixing"}),
        Request("POST", f"/bridges/{_q(name)}/addChannel", {"channel": f"{ear},{out}"}),
    ]


def untap_requests(name: str) -> list[Request]:
    """Return what ends it."""
    gone = [Request("DELETE", f"/channels/{_q(f'{name}~{end}')}") for end in ("ear", "out")]
    return [*gone, Request("DELETE", f"/bridges/{_q(name)}")]


def _bridge_requests(action: m.Join | m.Part | m.Record | m.Dissolve) -> list[Request]:
    match action:
        case m.Join(bridge=bridge, channels=channels):
            return [
                Request("POST", f"/bridges/{_q(bridge)}", {"type": "mixing"}),
                Request("POST", f"/bridges/{_q(bridge)}/addChannel", {
                    "channel": ",".join(channels), "inhibitConnectedLineUpdates": "true",  # tells nobody's number
                }),
            ]
        case m.Part(bridge=bridge, channel=channel):
            return [Request("POST", f"/bridges/{_q(bridge)}/removeChannel", {"channel": channel})]
        case m.Record(bridge=bridge, name=name):
            return [Request("POST", f"/bridges/{_q(bridge)}/record", {
                "name": name, "format": FORMAT, "ifExists": "fail",
            })]
        case m.Dissolve(bridge=bridge):
            return [Request("DELETE", f"/bridges/{_q(bridge)}")]
        case _:
            assert_never(action)


def _q(name: str) -> str:
    return quote(name, safe="")
