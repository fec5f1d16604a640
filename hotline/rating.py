"""好差评 by the citizen: what a rating leads to, depending on where the ticket stands. Pure."""

from __future__ import annotations

from hotline import commands as c
from hotline.alarms import DISSATISFIED
from hotline.errors import IllegalTransition
from hotline.follow_up import answer, settles
from hotline.policy import Policy
from hotline.terms import Rating, State, Way
from hotline.ticket import Ticket

RATEABLE = frozenset({State.ANSWERED, State.PENDING_FOLLOW_UP, State.REDO, State.CLOSED, State.ARCHIVED})
_ONCE_MORE = frozenset({State.ANSWERED, State.CLOSED, State.MERGED})
"""States in which a supervisor can still take the matter up again: reopen it, or let it go its own way (unmerge)."""


def commands_of(
    ticket: Ticket, rating: Rating, solved: bool | None, note: str, way: Way, policy: Policy
) -> tuple[c.Command, ...]:
    """Return what a rating leads to; nothing where it was told before, without words that are new.

    While the follow-up waits, the rating is its answer: it closes the ticket, or the matter is redone. A bad one for
    what is answered or closed calls a supervisor, who may reopen. A merged ticket's citizen rates their own ticket; a
    bad one calls a supervisor too, who may unmerge.

    Raises:
        IllegalTransition: there is no answer to rate yet.
    """
    if ticket.state not in RATEABLE and ticket.state is not State.MERGED:
        raise IllegalTransition(f"ticket {ticket.number} has no answer to rate yet")
    if ticket.state is State.PENDING_FOLLOW_UP:
        return (answer(ticket, rating, solved, note, way, policy),)
    if ticket.rating == rating and solved in (None, ticket.solved) and note in ("", ticket.rating_note):
        return ()
    told: tuple[c.Command, ...] = (c.Rate(rating=rating, solved=solved, note=note),)
    bad = solved is False or not settles(rating, solved)
    if bad and ticket.state in _ONCE_MORE and DISSATISFIED not in ticket.alarms:
        return (*told, c.RaiseAlarm(alarm=DISSATISFIED, detail=note or "诉求人评价不满意或未解决"))
    return told
