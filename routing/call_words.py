"""What happens to a call – told by the PBX, the queue, the console – and what is to be done about it. Pure."""

from __future__ import annotations

import msgspec

from routing.call_actions import (
    Action as Action,
)
from routing.call_actions import (
    Answer as Answer,
)
from routing.call_actions import (
    Debt as Debt,
)
from routing.call_actions import (
    Dequeue as Dequeue,
)
from routing.call_actions import (
    Dial as Dial,
)
from routing.call_actions import (
    Dissolve as Dissolve,
)
from routing.call_actions import (
    Enqueue as Enqueue,
)
from routing.call_actions import (
    Free as Free,
)
from routing.call_actions import (
    Hang as Hang,
)
from routing.call_actions import (
    Hush as Hush,
)
from routing.call_actions import (
    Join as Join,
)
from routing.call_actions import (
    Missed as Missed,
)
from routing.call_actions import (
    Music as Music,
)
from routing.call_actions import (
    Part as Part,
)
from routing.call_actions import (
    PbxAction as PbxAction,
)
from routing.call_actions import (
    Play as Play,
)
from routing.call_actions import (
    Record as Record,
)
from routing.call_actions import (
    Snoop as Snoop,
)
from routing.call_actions import (
    Speak as Speak,
)
from routing.call_actions import (
    Spoken as Spoken,
)
from routing.call_actions import (
    Tried as Tried,
)
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


class Unchosen(msgspec.Struct, frozen=True):
    """The citizen has chosen no language in time."""


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
    """Ring somebody while the citizen hears music (咨询). `claimed`: see `routing.calls.Leg`."""

    name: str
    endpoint: str
    claimed: str = ""


class Conference(msgspec.Struct, frozen=True):
    """三方通话: all three talk, the one who is brought in as soon as they answer."""

    name: str
    endpoint: str
    claimed: str = ""


class Transfer(msgspec.Struct, frozen=True):
    """转接: with an endpoint ring them and leave when they answer (一键转接); without one leave the one consulted."""

    name: str = ""
    endpoint: str = ""
    claimed: str = ""


class Requeue(msgspec.Struct, frozen=True):
    """转技能组: the agent leaves, the citizen waits in another queue, as long there as since their arrival."""

    queue: str


class DropParty(msgspec.Struct, frozen=True):
    """Give the consulted party up and go back to the citizen."""


class Leave(msgspec.Struct, frozen=True):
    """The agent leaves the conference; the others go on."""


class HangUp(msgspec.Struct, frozen=True):
    """挂断. `own`: by the key of the agent, who may have left those who talk on."""

    own: bool = False


class Move(msgspec.Struct, frozen=True):
    """班长: let a waiting call wait in another queue, at the place that its arrival gives it there."""

    queue: str


class Supervise(msgspec.Struct, frozen=True):
    """班长: ring a supervisor, who then listens, whispers to the agent, or barges in."""

    name: str
    endpoint: str
    ear: Ear
    claimed: str = ""


Brings = Consult | Conference | Transfer | Supervise
"""Orders that bring somebody in."""
Order = Hold | Resume | Consult | Conference | Transfer | Requeue | DropParty | Leave | HangUp | Supervise | Move
Happening = Entered | Played | Digit | Chosen | Unchosen | Told | Full | Up | Gone | Assigned | RungOut | Order
