"""What happens to a call – told by the PBX, the queue, the console – and what is to be done about it. Pure."""

from __future__ import annotations

import msgspec

from routing.calls import Ear


# ── what happens: from the PBX, the queue, the console ───────────────────────────────────────────
class Entered(msgspec.Struct, frozen=True):
    """A citizen's call came in."""

    channel: str
    caller: str
    called: str


class Played(msgspec.Struct, frozen=True):
    """What was played has come to its end; `media` is the first of its sounds."""

    channel: str
    media: str = ""


class Digit(msgspec.Struct, frozen=True):
    """The citizen pressed a key."""

    digit: str


class Chosen(msgspec.Struct, frozen=True):
    """The citizen chose a language in the menu, and with it the queue that speaks it."""

    language: str
    queue: str


class Told(msgspec.Struct, frozen=True):
    """It is time to tell the citizen their place: the sounds to play."""

    sounds: tuple[str, ...]


class Full(msgspec.Struct, frozen=True):
    """The queue takes nobody more."""


class Up(msgspec.Struct, frozen=True):
    """Somebody who was dialled has answered."""

    channel: str


class Gone(msgspec.Struct, frozen=True):
    """A channel is no more; `cause` as Q.850 numbers it, 0 where the PBX told none."""

    channel: str
    cause: int = 0


class Assigned(msgspec.Struct, frozen=True):
    """The queue has found an agent."""

    agent: str
    endpoint: str


class RungOut(msgspec.Struct, frozen=True):
    """The agent has not answered in time."""

    channel: str


class Hold(msgspec.Struct, frozen=True):
    """保持."""


class Resume(msgspec.Struct, frozen=True):
    """取回."""


class Consult(msgspec.Struct, frozen=True):
    """Ring somebody while the citizen hears music (咨询)."""

    name: str
    endpoint: str


class Conference(msgspec.Struct, frozen=True):
    """三方通话: all three talk, the one who is brought in as soon as they answer."""

    name: str
    endpoint: str


class Transfer(msgspec.Struct, frozen=True):
    """转接: with an endpoint ring them and leave when they answer (一键转接); without one leave the one consulted."""

    name: str = ""
    endpoint: str = ""


class Requeue(msgspec.Struct, frozen=True):
    """转技能组: the agent leaves, the citizen waits in another queue, as long there as since their arrival."""

    queue: str


class DropParty(msgspec.Struct, frozen=True):
    """Give the consulted party up and go back to the citizen."""


class Leave(msgspec.Struct, frozen=True):
    """The agent leaves the conference; the others go on."""


class HangUp(msgspec.Struct, frozen=True):
    """挂断."""


class Move(msgspec.Struct, frozen=True):
    """班长: let a waiting call wait in another queue, at the place that its arrival gives it there."""

    queue: str


class Supervise(msgspec.Struct, frozen=True):
    """班长: ring a supervisor, who then listens, whispers to the agent, or barges in."""

    name: str
    endpoint: str
    ear: Ear


Order = Hold | Resume | Consult | Conference | Transfer | Requeue | DropParty | Leave | HangUp | Supervise | Move
Happening = Entered | Played | Digit | Chosen | Told | Full | Up | Gone | Assigned | RungOut | Order


# ── what is to be done ───────────────────────────────────────────────────────────────────────────
class Answer(msgspec.Struct, frozen=True):
    """Pick the citizen's call up."""

    channel: str


class Play(msgspec.Struct, frozen=True):
    """Play sounds by name, one after the other; the first names the whole."""

    channel: str
    media: str
    more: tuple[str, ...] = ()


class Hush(msgspec.Struct, frozen=True):
    """Stop what is being played on a channel."""

    channel: str
    media: str


class Speak(msgspec.Struct, frozen=True):
    """Choose the language of what is played on a channel."""

    channel: str
    language: str


class Music(msgspec.Struct, frozen=True):
    """Start or stop the music of a channel that waits."""

    channel: str
    on: bool


class Dial(msgspec.Struct, frozen=True):
    """Ring an endpoint as a channel of our name; `caller` is what their telephone shows."""

    channel: str
    endpoint: str
    caller: str


class Join(msgspec.Struct, frozen=True):
    """Put channels together in a bridge, which is made where it is not there."""

    bridge: str
    channels: tuple[str, ...]


class Part(msgspec.Struct, frozen=True):
    """Take a channel out of a bridge."""

    bridge: str
    channel: str


class Record(msgspec.Struct, frozen=True):
    """Begin to record a bridge under a name; nothing happens if it is being recorded."""

    bridge: str
    name: str


class Hang(msgspec.Struct, frozen=True):
    """End a channel."""

    channel: str


class Enqueue(msgspec.Struct, frozen=True):
    """The call waits for an agent; at the head of its equals if it waited before (`Call.arrived`)."""


class Dequeue(msgspec.Struct, frozen=True):
    """The call waits no more."""


class Free(msgspec.Struct, frozen=True):
    """An agent's part is over: wrap-up after a talk, not ready after no answer, available again otherwise."""

    agent: str
    talked: bool
    failed: bool = False


class Missed(msgspec.Struct, frozen=True):
    """Nobody took the call: it is owed a call back. `full`: there was no room in the queue."""

    full: bool = False


class Tried(msgspec.Struct, frozen=True):
    """A call of ours reached nobody: `cause` as Q.850 numbers it, 0 where it rang out."""

    cause: int = 0


class Snoop(msgspec.Struct, frozen=True):
    """Listen to a channel through another of our name; with `whisper` its holder hears what is said there."""

    channel: str
    snoop: str
    whisper: bool


class Dissolve(msgspec.Struct, frozen=True):
    """Take the bridge away."""

    bridge: str


Action = (
    Answer | Play | Hush | Speak | Music | Dial | Join | Part | Record | Hang | Enqueue | Dequeue | Free | Missed
    | Tried | Snoop | Dissolve
)
