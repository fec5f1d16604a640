"""The telephone's ports: the PBX, and what is remembered of calls and agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from routing import call_words as m
from routing.call_orders import Asked
from routing.callbacks import MissedCall
from routing.calls import Call


class AgentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """An agent. `since` in seconds of the epoch; `endpoint` "" without a telephone; `skills` maps skills to levels."""

    state: str
    since: float
    endpoint: str
    skills: Mapping[str, int]


class PbxChannel(Protocol):
    """A channel that the PBX has."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def state(self) -> str:
        """`Up` for one that talks."""
        ...

    @property
    def entered(self) -> m.Entered | None:
        """A citizen's call that is ours to steer, as it came in; None for all others."""
        ...

    @property
    def dialled_for(self) -> str:
        """The call for which we rang it, "" for a channel that we have not rung."""
        ...


class Pbx(Protocol):
    """The PBX (`channels.ari.Ari`). Raises Unavailable."""

    async def perform(self, action: m.PbxAction) -> bool:
        """Carry an action out; False where its channel is gone."""
        ...

    async def channels(self) -> Collection[PbxChannel]:
        """Return the channels that are there."""
        ...

    async def bridges(self) -> Mapping[str, Collection[str]]:
        """Return the bridges that are there, with the channels in each."""
        ...

    def events(self) -> AsyncIterator[tuple[str, m.Happening] | None]:
        """Yield calls and what happens to them; None when the connection is there anew."""
        ...


class CallStore(Protocol):
    """What is remembered (`hotline.store.telephone.TelephoneStore`). Raises Unavailable."""

    async def save(self, call: Call, *, now: datetime) -> None:
        """Write a call."""
        ...

    async def settled(self, call: str) -> None:
        """Nothing of a call that is over is left to be noted."""
        ...

    async def is_over(self, call: str) -> bool:
        """Tell whether a call is known, and has ended."""
        ...

    async def under_way(self) -> list[Call]:
        """Return the calls that are not over, and those that are but have left something to be noted."""
        ...

    async def agents(self, *, among: Collection[str] | None = None) -> dict[str, AgentSeen]:
        """Return who has a living console, all or those of these names."""
        ...

    async def last_agent(self, caller: str) -> str:
        """Return who talked to a caller last."""
        ...

    async def set_presence(
        self, agent: str, state: str, *, among: Collection[str], now: datetime, reason: str = "", call: str = ""
    ) -> bool:
        """Change what an agent does, if they are in one of `among`."""
        ...

    async def endpoint(self, agent: str) -> str:
        """Return where somebody is rung, "" for nowhere."""
        ...

    async def orders(self, *, now: datetime) -> list[Asked]:
        """Return what consoles have asked for and is not done."""
        ...

    async def order_done(self, id_: int, *, now: datetime, error_id: str = "", detail: str = "") -> None:
        """Tell the asker how it went."""
        ...

    async def missed_since(self, caller: str, since: datetime) -> bool:
        """Tell whether a caller has got nobody since a moment."""
        ...

    async def handling(self) -> float:
        """Return the mean seconds of talk and wrap-up of the last calls."""
        ...

    async def claim(self, agent: str, *, now: datetime, call: str) -> str:
        """Take somebody out of the queue who is brought into a colleague's call, if they may be in it.

        Returns:
            The presence they go back to, with its reason after a space; "" for who is offline and in no queue.

        Raises:
            IllegalTransition: they are on a call.
        """
        ...

    async def tell(
        self, call: Call, *, now: datetime, card: bool = False, marked: str = "", colleague: str = "", topic: str = ""
    ) -> None:
        """Tell the agent of a call, a `colleague` of theirs, or a `topic`, how it stands; with `card` who calls too.

        `marked`: see `CallCard`.
        """
        ...

    async def expire_leases(self) -> None:
        """Set those offline whose console is heard no more."""
        ...

    async def wrapped_up(self, agent: str, *, began: datetime, ended: datetime) -> None:
        """Note a wrap-up that is over."""
        ...


class Books(Protocol):
    """Where it is noted who is owed a call and who was spoken with (`hotline.call_books.CallBooks`)."""

    async def owe(self, missed: MissedCall, /) -> Any:
        """A call ended without anybody taking it."""
        ...

    async def through(self, caller: str, at: datetime, /) -> Any:
        """A caller got through: nothing that they missed before is owed to them any more."""
        ...

    async def tried(self, call: Call, cause: int, /) -> Any:
        """A call of ours reached nobody, for a cause that Q.850 numbers (0: it was not placed, or vanished)."""
        ...

    async def spoken(self, call: Call, /) -> Any:
        """A call of ours that was answered is over."""
        ...


class Right(Protocol):
    """The right to steer the PBX, which one process has at a time (`hotline.store.steering.Owner`)."""

    async def still(self) -> None:
        """Raise Unavailable once it is lost."""
        ...

    async def freed(self) -> Collection[str]:
        """Wait until somebody becomes available, and name them; who is never named is found with the next tick."""
        ...


class _Alone:
    async def still(self) -> None:
        """Nobody else wants it."""

    async def freed(self) -> Collection[str]:
        """Nobody is ever named."""
        await asyncio.Event().wait()
        return ()


ALONE: Right = _Alone()
"""The right of the only process there is."""


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds: how long an agent's telephone rings and one outside, how long agents wrap up, how often a caller is told
    their place (0: never), how long a choice is waited for after the menu's last word, how often time is looked at."""

    ring: float = 15.0
    outside: float = 45.0
    announce: float = 30.0
    wrap_up: float = 30.0
    choose: float = 4.0
    tick: float = 0.2
