"""One console's state, and what to do when it comes back. Pure: the gateway carries out what is decided here."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

import msgspec

from agent_ui import protocol as p
from agent_ui.staff import Staff, check_topic
from hotline.errors import InvalidInput

BY_HAND: frozenset[type[p.Ask]] = frozenset({
    p.RunCommand, p.Search, p.PhoneAppeal, p.OrderCall, p.DialCall, p.MergeTickets, p.DismissSimilar, p.TakeCallback,
    p.GiveBackCallback, p.RecordCallback, p.NextFollowUp, p.ReadArticle,
})
"""What only a person asks. Everything else pages ask by themselves too, on a timer or after an event: it says nothing
of whether anybody sits there, and keeps no session from idling out."""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who sits there and what they follow.

    Attributes:
        login: the log-in's session; with it the console ends.
        resume_from: `last_seq` of a returning console until its first `follow`; None afterwards and for a new one.
    """

    staff: Staff
    login: int = 0
    topics: frozenset[str] = frozenset()
    resume_from: int | None = None


def follow(session: Session, topics: Iterable[str]) -> Session:
    """Return the session with more topics.

    Raises:
        Forbidden: one of them is not for this person; none is followed then.
        InvalidInput: no such topic, or too many.
    """
    wanted = session.topics | frozenset(topics)
    for topic in sorted(wanted - session.topics):
        check_topic(session.staff, topic)
    if len(wanted) > p.MAX_TOPICS:
        raise InvalidInput(f"a console follows at most {p.MAX_TOPICS} topics; unfollow some first")
    return msgspec.structs.replace(session, topics=wanted, resume_from=None)


def unfollow(session: Session, topics: Iterable[str]) -> Session:
    """Return the session with fewer topics; those it did not follow are no mistake."""
    return msgspec.structs.replace(session, topics=session.topics - frozenset(topics))


class Resume(Enum):
    """How a returning console gets what it missed."""

    MEMORY = auto()
    """From the gateway's ring of recent events, at once."""
    DATABASE = auto()
    """From the event log up to the ring, then from the ring."""
    AHEAD = auto()
    """Nothing was missed: another gateway had shown it more than this one has read yet."""
    TOO_OLD = auto()
    """Too much was missed, or the number is of another log: start from snapshots."""


def plan_resume(last_seq: int, *, floor: int, live: int, horizon: int, missed: int, limit: int) -> Resume:
    """Decide how a console that stopped at `last_seq` goes on.

    Args:
        floor: the ring holds every event above it. live: the last event that the gateway has read.
        horizon: end of the readable log. missed: events after `last_seq`, counted up to `limit` + 1.
    """
    if last_seq >= horizon and last_seq > live:
        return Resume.TOO_OLD
    if last_seq > live:
        return Resume.AHEAD
    if last_seq >= floor:
        return Resume.MEMORY
    return Resume.TOO_OLD if missed > limit else Resume.DATABASE
