"""The metrics counted a second time, straight from the events and in another way than `hotline.tally`: no rollup, no
differences, no shared code. One function for each metric, as its definition reads.

    recount(tickets, as_of) -> Counter of (figure, "num" | "den", day, department)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hotline.events import TicketEvent

CHINA = timezone(timedelta(hours=8))
GOOD = {"very_satisfied", "satisfied", "fairly_satisfied"}
Counted = Counter[tuple[str, str, date, str]]
Row = tuple[str, datetime, str, int, int]


def name(event: TicketEvent) -> str:
    return str(event.type)


def leads(events: Sequence[TicketEvent]) -> list[tuple[str, str]]:
    """Return the lead department before and after each event."""
    found, lead = [], ""
    for event in events:
        before = lead
        match name(event):
            case "dispatch" | "rule":
                lead = event.fact.lead  # type: ignore[union-attr]
            case "redispatch":
                lead = event.fact.lead or lead  # type: ignore[union-attr]
            case "approve_return" | "take_back" | "reopen" | "merge" | "police_return":
                lead = ""
        found.append((before, lead))
    return found


def of(events: Sequence[TicketEvent], place: int) -> str:
    before, after = leads(events)[place]
    return after or before


def is_over(event: TicketEvent) -> bool:
    return event.state in ("withdrawn", "merged", "rejected", "handed_off", "received", "pending_dispatch")


def clocks_until(events: Sequence[TicketEvent], place: int) -> Any:
    """Return the clocks as they were after the event at `place`; what ends a round does not count any more."""
    place -= is_over(events[place])
    return [event.clocks for event in events[: place + 1] if event.clocks is not None][-1]


def rounds(events: Sequence[TicketEvent]) -> Iterator[tuple[int, int, bool]]:
    """Yield (first event, last event, void) of each round."""
    starts = [n for n, event in enumerate(events) if name(event) in ("dispatch", "rule", "redispatch")]
    for start, following in zip(starts, [*starts, len(events)][1:], strict=True):
        end, void = following - 1, following < len(events) and name(events[following]) == "rule"
        for n in range(start, following):
            void |= name(events[n]) == "approve_return"
            if is_over(events[n]):
                end = min(end, n)
        yield start, end, void


def running_until(events: Sequence[TicketEvent], start: int, end: int, as_of: datetime) -> datetime:
    """Return until when the clocks of a round have run."""
    stops = [as_of]
    if is_over(events[end]):
        stops.append(events[end].at)
    elif end + 1 < len(events):
        stops.append(events[end + 1].at)
    asked = [n for n in range(start, end + 1) if name(events[n]) == "request_return"]
    refused = [n for n in range(start, end + 1) if name(events[n]) == "refuse_return"]
    if asked and (not refused or refused[-1] < asked[-1]):
        stops.append(events[asked[-1]].at)
    paused = clocks_until(events, end).paused_at
    if paused is not None:
        stops.append(paused)
    return min(stops)


WITH_THE_UNIT = ("pending_sign", "return_requested", "arbitration", "handling", "need_info")


def taken_away(events: Sequence[TicketEvent], start: int, end: int, due: datetime) -> bool:
    """Tell whether the dispatch left the department while it was at work, with time left to reach the citizen."""
    leaves = is_over(events[end]) and events[end - 1].state in WITH_THE_UNIT
    return leaves and running_until(events, start, end, events[end].at) < due


def clock_rows(events: Sequence[TicketEvent], as_of: datetime) -> Iterator[Row]:
    for start, end, void in rounds(events):
        department, clocks = leads(events)[start][1], clocks_until(events, end)
        if name(events[start]) == "dispatch":
            returned = any(name(event) == "request_return" for event in events[start : end + 1])
            yield "returned", events[start].at, department, int(returned), 1
        if void:
            continue
        reached, within = clocks.contacted_at, clocks.contact_due
        if within is not None and (reached is not None or not taken_away(events, start, end, within)):
            in_time = reached is not None and reached <= within
            yield "contact", events[start].at, department, int(in_time), 1
        until = running_until(events, start, end, as_of)
        for metric, due, done in (
            ("sign", clocks.sign_due, clocks.signed_at), ("completion", clocks.completion_due, clocks.completed_at)
        ):
            if due is not None and done is not None:
                yield metric, due, department, int(done <= due), 1
            elif due is not None and due < until:
                yield metric, due, department, 0, 1


def centre_rows(events: Sequence[TicketEvent]) -> Iterator[Row]:
    out = [(n, event) for n, event in enumerate(events) if name(event) in ("answer", "dispatch")]
    if out:
        yield "direct", out[0][1].at, "", int(name(out[0][1]) == "answer"), 1
    dispatches = [n for n, event in enumerate(events) if name(event) == "dispatch"]
    if dispatches:
        approved = [n for n, event in enumerate(events) if name(event) == "approve_return"]
        wrong = any(n > approved[0] for n in dispatches) if approved else False
        yield "accurate", events[dispatches[0]].at, leads(events)[dispatches[0]][1], int(not wrong), 1
    closings = [
        n for n, event in enumerate(events) if event.state == "closed" and (n == 0 or events[n - 1].state != "closed")
    ]
    reopenings = [n for n, event in enumerate(events) if name(event) == "reopen"]
    if closings and not any(n > closings[-1] for n in reopenings):
        last = closings[-1]
        redone = any(name(event) == "redispatch" for event in events[:last])
        yield "one_pass", events[last].at, of(events, last), int(not redone), 1
        yield "duration", events[last].at, of(events, last), int((events[last].at - events[0].at).total_seconds()), 1
        yield "closed", events[last].at, of(events, last), 1, 0


def citizen_rows(events: Sequence[TicketEvent]) -> Iterator[Row]:
    handling, ratings = 0, {}
    owed: list[list[Any]] = []
    for n, event in enumerate(events):
        fact: Any = event.fact
        match name(event):
            case "answer" | "merge":
                handling += 1
            case "accept_reply":
                handling += 1
                owed.append([event.at, of(events, n), 0])
            case "settle_follow_up" | "dispute_follow_up":
                if owed:
                    owed[-1][2] = 1
                disputed = name(event) == "dispute_follow_up"
                if disputed or not fact.unreachable:
                    yield "redone", event.at, of(events, n), int(disputed), 1
                    if fact.said_solved is not None:
                        yield "solved", event.at, of(events, n), int(fact.said_solved), 1
                    if fact.rating is not None:
                        ratings[handling] = (event.at, of(events, n), fact.rating)
            case "rate":
                ratings[handling] = (event.at, of(events, n), fact.rating)
    for at, department, done in owed:
        yield "followed_up", at, department, done, 1
    for at, department, rating in ratings.values():
        yield "satisfied", at, department, int(rating in GOOD), 1


def chat_rows(events: Sequence[TicketEvent], as_of: datetime) -> Iterator[Row]:
    first: Any = events[0].fact
    if first.channel != "wechat" and not first.appeal.citizen.key.startswith("chat:"):
        return
    due = None
    for event in events:
        said = getattr(event.fact, "inbound", name(event) in ("receive", "supply_info"))
        told = name(event) == "add_message" and not said
        if due is not None and (told or event.state not in ("received", "pending_dispatch")):
            words = told or name(event) in ("answer", "ask_info")
            person = words and event.actor.role in ("agent", "supervisor")
            if person or event.at > due:
                yield "chat_answered", due, "", int(person and event.at <= due), 1
            due = None
        elif due is None and said and event.state in ("received", "pending_dispatch"):
            due = event.at + timedelta(minutes=3)
    if due is not None and due < as_of:
        yield "chat_answered", due, "", 0, 1


VOLUMES = {
    "dispatch": "dispatched", "answer": "answered", "hand_off": "handed_off", "reject": "rejected",
    "withdraw": "withdrawn", "merge": "merged", "urge": "urged", "supervise": "supervised",
    "grant_extension": "extended",
}


def volume_rows(events: Sequence[TicketEvent]) -> Iterator[Row]:
    first: Any = events[0].fact
    yield "received", events[0].at, "", 1, 0
    if first.triage.verdict == "emergency":
        yield "emergencies", events[0].at, "", 1, 0
    for n, event in enumerate(events):
        if name(event) in VOLUMES:
            yield VOLUMES[name(event)], event.at, of(events, n), 1, 0


def recount(tickets: Iterable[Sequence[TicketEvent]], as_of: datetime) -> Counted:
    """Count every figure of these tickets as it stands `as_of`."""
    counted: Counted = Counter()
    for events in tickets:
        for rows in (
            volume_rows(events), centre_rows(events), citizen_rows(events), clock_rows(events, as_of),
            chat_rows(events, as_of),
        ):
            for figure, at, department, num, den in rows:
                day = at.astimezone(CHINA).date()
                counted[figure, "num", day, department] += num
                counted[figure, "den", day, department] += den
    return +counted
