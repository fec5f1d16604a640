"""What is to be done about a call: by the PBX, the queue, the books. Pure words, the other half of `call_words`."""

from __future__ import annotations

import msgspec


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
    """Ring an endpoint as a channel of our name. `caller` is the citizen's number: no telephone shows it whole."""

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
    """The call waits for an agent; at the head of its equals if it waited before (`Call.arrived`).

    `first`: it waits for the first time, and may find no room. Who was let in once is sent away by nobody.
    """

    first: bool = False


class Dequeue(msgspec.Struct, frozen=True):
    """The call waits no more."""


class Free(msgspec.Struct, frozen=True):
    """An agent's part is over: wrap-up after a talk, not ready after no answer, available again otherwise.

    `back`: who was claimed for a colleague's call goes back to this presence (see `routing.calls.Leg.claimed`).
    """

    agent: str
    talked: bool
    failed: bool = False
    back: str = ""


class Missed(msgspec.Struct, frozen=True, tag="missed"):
    """Nobody took the call: it is owed a call back. `full`: there was no room in the queue."""

    full: bool = False


class Tried(msgspec.Struct, frozen=True, tag="tried"):
    """A call of ours reached nobody: `cause` as Q.850 numbers it, 0 where it was not placed or vanished untold."""

    cause: int = 0


class Spoken(msgspec.Struct, frozen=True, tag="spoken"):
    """A call of ours that was answered is over."""


Debt = Missed | Tried | Spoken
"""What a call that ends leaves to be noted in the books: one thing at most, kept with it until it is noted."""


class Snoop(msgspec.Struct, frozen=True):
    """Listen to a channel through another of our name; with `whisper` its holder hears what is said there."""

    channel: str
    snoop: str
    whisper: bool


class Dissolve(msgspec.Struct, frozen=True):
    """Take the bridge away."""

    bridge: str


PbxAction = Answer | Play | Hush | Speak | Music | Dial | Join | Part | Record | Hang | Snoop | Dissolve
"""What the PBX does."""
Action = PbxAction | Enqueue | Dequeue | Free | Missed | Tried | Spoken
