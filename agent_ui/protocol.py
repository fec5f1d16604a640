"""Every frame between console and gateway, as one tagged type each. JSON text frames; `type` tells which.

`docs/console-protocol.md` tells the story, `docs/asyncapi.json` is generated from these types (`agent_ui.asyncapi`).
Fields that hold finished JSON (`msgspec.Raw`) name the schema of what is inside.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from agent_ui.aids import CityTerms, Looking, Proposal
from agent_ui.presence import NotReadyReason, Presence, PresenceState
from agent_ui.staff import Staff
from channels.appeal_codec import AppealAnswer, AppealBody
from hotline.appeal import Evidence
from hotline.commands import Command
from hotline.errors import UNREADABLE, HotlineError, InvalidInput
from hotline.feed import MAX_SEQ
from hotline.hotspot import HotSpot
from hotline.knowledge import Article, Hit
from hotline.terms import Kind, State
from routing.call_news import CallCard, CallFloor, CallNews, CallWords
from routing.call_orders import CallAct
from routing.callbacks import Callback, CallResult

MAX_FRAME = 64 * 1024
MAX_TOPICS = 64
PAGE_ROWS = 100
MAX_ROWS = 500
MAX_MERGED = 100

Id = Annotated[int, Meta(ge=0, le=MAX_SEQ, description="the console's own number of a request; answered with it")]
Seq = Annotated[int, Meta(ge=0, le=MAX_SEQ, description="position in the event log, durable and the same everywhere")]
Topic = Annotated[str, Meta(min_length=1, max_length=120, description="centre, emergency, department:…, …")]
Topics = Annotated[tuple[Topic, ...], Meta(min_length=1, max_length=MAX_TOPICS)]
Number = Annotated[str, Meta(min_length=1, max_length=40, description="ticket number")]
Limit = Annotated[int, Meta(ge=1, le=MAX_ROWS)]
Line = Annotated[str, Meta(max_length=200)]
Cursor = Annotated[str, Meta(max_length=64, description="`next` of the page before")]


def _json_of(name: str) -> Meta:
    return Meta(extra_json_schema={"$ref": f"#/components/schemas/{name}"})


SummaryJson = Annotated[msgspec.Raw, _json_of("Summary")]
RowJson = Annotated[msgspec.Raw, Meta(extra_json_schema={
    "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Summary", "Presence", "Callback")],
})]
TicketJson = Annotated[msgspec.Raw, _json_of("Ticket")]
TicketEventJson = Annotated[msgspec.Raw, _json_of("TicketEvent")]
DataJson = Annotated[msgspec.Raw, Meta(extra_json_schema={
    "oneOf": [
        {"$ref": f"#/components/schemas/{name}"}
        for name in ("Presence", "Callback", "CallNews", "CallWords", "Looking")
    ],
})]


class Frame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all frames."""


class Ask(Frame, frozen=True, forbid_unknown_fields=True):
    """Base of what a console sends; unknown fields are refused, a misspelt one is not passed over."""


# ── console → gateway ────────────────────────────────────────────────────────────────────────────
class Hello(Ask, frozen=True, tag="hello"):
    """The first frame: the one-time ticket, and where the console stopped if it was here before."""

    ticket: Annotated[str, Meta(max_length=200)]
    last_seq: Seq | None = None


class Follow(Ask, frozen=True, tag="follow"):
    """Receive events of these topics too. The first `follow` after a `hello` with `last_seq` brings what was missed."""

    topics: Topics


class Unfollow(Ask, frozen=True, tag="unfollow"):
    """No longer receive events of these topics."""

    topics: Topics


class TakeSnapshot(Ask, frozen=True, tag="snapshot"):
    """The rows of a topic now, newest first; `states` narrows them (empty: all)."""

    topic: Topic
    id: Id | None = None
    states: Annotated[tuple[State, ...], Meta(max_length=len(State))] = ()
    limit: Limit = PAGE_ROWS
    cursor: Cursor = ""


class RunCommand(Ask, frozen=True, tag="command"):
    """Act on a ticket. With `expected_version` it is refused if somebody else was faster, so it is safe to repeat."""

    id: Id
    number: Number
    command: Command
    expected_version: Annotated[int, Meta(ge=1)] | None = None


class Open(Ask, frozen=True, tag="open"):
    """The whole ticket and its events after `since_version`. `reason` shows personal data in full and is recorded."""

    id: Id
    number: Number
    since_version: Annotated[int, Meta(ge=0)] = 0
    reason: Line = ""


class SetPresence(Ask, frozen=True, tag="presence"):
    """Choose one's presence; `reason` belongs to `not_ready`. A supervisor forces that of `staff`."""

    id: Id
    state: PresenceState
    reason: NotReadyReason | None = None
    staff: Annotated[str, Meta(max_length=64)] = ""


class Search(Ask, frozen=True, tag="search"):
    """Find tickets, newest first; what is given must all hold."""

    id: Id
    text: Line = ""
    number: Annotated[str, Meta(max_length=40)] = ""
    phone: Annotated[str, Meta(max_length=64)] = ""
    states: Annotated[tuple[State, ...], Meta(max_length=len(State))] = ()
    limit: Limit = PAGE_ROWS
    cursor: Cursor = ""


class PhoneAppeal(Ask, frozen=True, tag="phone_appeal"):
    """Open a ticket from a call. `call` is the call's id (or one made up), `form` is made up once for each form: a
    repeat gets the first answer, and several who have a call one after the other write tickets of their own. Without
    it what a citizen tells beside is another `part`. The number of one's own caller is filled in."""

    id: Id
    call: Annotated[str, Meta(min_length=1, max_length=120)]
    appeal: AppealBody
    part: Annotated[int, Meta(ge=1, le=99)] = 1
    form: Annotated[str, Meta(pattern="^([0-9A-Za-z-]{8,64})?$")] = ""

    @property
    def key(self) -> str:
        """What a repeat is known by: the form, or for pages from before the part of the call."""
        part = self.form or (str(self.part) if self.part > 1 else "")
        return f"call:{self.call}:{part}" if part else f"call:{self.call}"


class OrderCall(Ask, frozen=True, tag="call"):
    """Ask something of a call: hold, consult, transfer, three-way call, listen. `to` is who shall be rung: an agent's
    name, 110/119/120/122, or a number; `queue:NAME` to transfer to a skill group. A transfer without it hands over to
    who was consulted. Supervisors `move` a call that waits, to `queue:NAME` or an agent."""

    id: Id
    call: Annotated[str, Meta(min_length=1, max_length=120)]
    act: CallAct
    to: Line = ""


class DialCall(Ask, frozen=True, tag="dial"):
    """Call a citizen (预览外呼): one's own telephone rings first. Either a `callback`, which is taken with it, or the
    citizen of ticket `number`. How it went is recorded; answered with the `call`."""

    id: Id
    callback: Annotated[int, Meta(ge=0, le=MAX_SEQ)] = 0
    number: Annotated[str, Meta(max_length=40)] = ""


class ReadCall(Ask, frozen=True, tag="call_card"):
    """How a call stands, who calls, and what was heard so far: of one's own call, supervisors of any; without `call` of
    the one that is under way at one's desk, nothing where there is none. `reason` shows personal data in full and is
    recorded."""

    id: Id
    call: Annotated[str, Meta(max_length=120)] = ""
    reason: Line = ""


class ReadFloor(Ask, frozen=True, tag="floor"):
    """班长: queues, calls and agents of the telephone at this moment."""

    id: Id


class MergeTickets(Ask, frozen=True, tag="merge"):
    """并单: merge tickets into the one named `into`, each on its own: `merged` tells which were refused and why."""

    id: Id
    into: Number
    numbers: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_MERGED)]


class FindSimilar(Ask, frozen=True, tag="similar"):
    """Open tickets that may be about the same thing as this one, likeliest first, with reasons: proposals to merge."""

    id: Id
    number: Number


class DismissSimilar(Ask, frozen=True, tag="dismiss_similar"):
    """These two are about two things: propose them no more."""

    id: Id
    number: Number
    other: Number


class ListHotSpots(Ask, frozen=True, tag="hotspots"):
    """Places where one matter is told by far more citizens than usual, and those that ended within a day."""

    id: Id


CallbackId = Annotated[int, Meta(ge=1, le=MAX_SEQ, description="`id` of a row of the topic `callbacks`")]


class TakeCallback(Ask, frozen=True, tag="take_callback"):
    """回拨: take an entry of the ledger, the longest waiting one or `callback`; a supervisor gives it to `agent`."""

    id: Id
    callback: CallbackId | None = None
    agent: Annotated[str, Meta(max_length=64)] = ""


class GiveBackCallback(Ask, frozen=True, tag="give_back_callback"):
    """Let somebody else take it."""

    id: Id
    callback: CallbackId


class RecordCallback(Ask, frozen=True, tag="record_callback"):
    """Tell how ringing back went. `number`: the ticket that came of it."""

    id: Id
    callback: CallbackId
    result: CallResult
    number: Annotated[str, Meta(max_length=40)] = ""
    note: Line = ""


class NextFollowUp(Ask, frozen=True, tag="next_follow_up"):
    """回访: take the next ticket that waits for a follow-up and whose try is due; one taken before comes first."""

    id: Id


class Consult(Ask, frozen=True, tag="consult"):
    """Articles of the knowledge base that fit an appeal's text; with `words`, those that hold the words asked for."""

    id: Id
    text: Annotated[str, Meta(min_length=1, max_length=4000)]
    words: bool = False
    l1: Annotated[str, Meta(max_length=2)] = ""
    l2: Annotated[str, Meta(max_length=40)] = ""
    department: Annotated[str, Meta(max_length=60)] = ""
    limit: Annotated[int, Meta(ge=1, le=50)] = 5


class ReadArticle(Ask, frozen=True, tag="article"):
    """One article of the knowledge base with its history."""

    id: Id
    article: Annotated[int, Meta(ge=1, le=MAX_SEQ)]


class ReadTerms(Ask, frozen=True, tag="terms"):
    """The city's own words: categories, units of the directory in force, towns."""

    id: Id


class Propose(Ask, frozen=True, tag="propose"):
    """Whom the directory in force names for a category, kind and place, with its reasons. `confidence` stands in them:
    1 where a person chose the category."""

    id: Id
    l1: Annotated[str, Meta(min_length=1, max_length=2)]
    l2: Annotated[str, Meta(min_length=1, max_length=40)]
    kind: Kind = Kind.OTHER
    towns: Annotated[tuple[Annotated[str, Meta(max_length=60)], ...], Meta(max_length=10)] = ()
    confidence: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Explain(Ask, frozen=True, tag="explain"):
    """The words of a ticket's text that speak for a category against those that triage had in mind."""

    id: Id
    number: Number
    l1: Annotated[str, Meta(min_length=1, max_length=2)]
    l2: Annotated[str, Meta(min_length=1, max_length=40)]


class Look(Ask, frozen=True, tag="look"):
    """I have this ticket before me (said again every minute), or with `away` no more; who else has is answered, and
    told to all who follow `ticket:NUMBER` by events of the type `look`."""

    id: Id
    number: Number
    away: bool = False


class Ping(Ask, frozen=True, tag="ping"):
    """I am here. `active`: the person touched the console since the last ping (keeps the session from idling out)."""

    active: bool = False


ConsoleFrame = (
    Hello | Follow | Unfollow | TakeSnapshot | RunCommand | Open | SetPresence | Search | PhoneAppeal
    | OrderCall | MergeTickets | FindSimilar | DismissSimilar | ListHotSpots | Consult | ReadArticle
    | TakeCallback | GiveBackCallback | RecordCallback | DialCall | ReadCall | ReadFloor | NextFollowUp | ReadTerms
    | Propose | Explain | Look | Ping
)


# ── gateway → console ────────────────────────────────────────────────────────────────────────────
class Welcome(Frame, frozen=True, tag="welcome"):
    """Logged in. `seq` is where the feed stands, or where a returning console stopped."""

    seq: Seq
    staff: Staff
    server_time: datetime
    lease: Annotated[float, Meta(description="seconds after which a silent console frees its agent")]


class Event(Frame, frozen=True):
    """One event. `type` is the fact's tag (`receive`, `dispatch`, …), `presence`, `callback`, `call`, `transcript` or
    `look`; `summary` the row after it, `data` a presence, a callback, news of a call, its words, or who looks."""

    seq: Seq
    at: datetime
    type: str
    actor: str
    number: str = ""
    summary: SummaryJson | msgspec.UnsetType = msgspec.UNSET
    data: DataJson | msgspec.UnsetType = msgspec.UNSET


class Events(Frame, frozen=True, tag="events"):
    """Events of one tick, in order; together with those before, all that the followed topics had up to the last."""

    events: tuple[Event, ...]


class Snapshot(Frame, frozen=True, tag="snapshot"):
    """Rows that contain every event up to `seq` (and perhaps later ones: the higher version of a row is right)."""

    topic: Topic
    seq: Seq
    rows: tuple[RowJson, ...]
    id: Id | None = None
    next: Cursor = ""


class Opened(Frame, frozen=True):
    """A ticket in full; `id` is what the command `merge` calls it.

    `commands` are those that its state and the reader's role allow; `masked`: see `open`. `parent` is the number of the
    ticket that it is merged into, `children` are those merged into it (at most 100, the newest first), `related` other
    tickets of the same citizen, the newest first. `due` is that of its row: the running clock that expires next.
    """

    id: int
    ticket: TicketJson
    events: tuple[TicketEventJson, ...]
    commands: tuple[str, ...]
    masked: bool
    parent: str = ""
    children: tuple[SummaryJson, ...] = ()
    related: tuple[SummaryJson, ...] = ()
    due: datetime | None = None


class Merged(Frame, frozen=True):
    """What became of one ticket of a `merge`; `error_id` and `detail` where it was refused."""

    number: str
    error_id: str = ""
    detail: str = ""


class SimilarTicket(Frame, frozen=True):
    """A proposal to merge: `score` is the log odds that both are about one thing, `reasons` tell people why."""

    number: str
    score: float
    reasons: tuple[str, ...]
    summary: SummaryJson


class Ok(Frame, frozen=True, tag="ok"):
    """A request was carried out; what it brought depends on the request.

    `command`: number, version, state. `open`: opened. `search`: rows, next. `presence`: presence.
    `phone_appeal`: number, receipt. `merge`: merged. `similar`: similar. `hotspots`: hotspots.
    `consult`: hits. `article`: article.
    `dial`: call. `call_card`: card, words, and news of a call under way. `floor`: floor.
    `take_callback`: callback, none where nothing waits; likewise
    `give_back_callback` and `record_callback`.
    `next_follow_up`: number, version, state; no number where none is due. `terms`: terms. `propose`: proposal.
    `explain`: evidence. `look`: looking, the others who have the ticket before them.
    """

    id: Id
    number: str = ""
    version: int = 0
    state: str = ""
    opened: Opened | None = None
    rows: tuple[SummaryJson, ...] | None = None
    next: Cursor = ""
    presence: Presence | None = None
    receipt: AppealAnswer | None = None
    merged: tuple[Merged, ...] | None = None
    similar: tuple[SimilarTicket, ...] | None = None
    hotspots: tuple[HotSpot, ...] | None = None
    hits: tuple[Hit, ...] | None = None
    article: Article | None = None
    callback: Callback | None = None
    call: str = ""
    card: CallCard | None = None
    words: tuple[CallWords, ...] | None = None
    news: CallNews | None = None
    floor: CallFloor | None = None
    terms: CityTerms | None = None
    proposal: Proposal | None = None
    evidence: tuple[Evidence, ...] | None = None
    looking: tuple[Looking, ...] | None = None


class Error(Frame, frozen=True, tag="error"):
    """A request was refused; nothing changed. `error_id` as in HTTP, `detail` says what to mend."""

    error_id: str
    detail: str
    id: Id | None = None


def error_of(error: HotlineError, id_: int | None) -> Error:
    """Return how a console is told of a refusal."""
    return Error(id=id_, error_id=error.error_id, detail=error.detail)


class TooOld(Frame, frozen=True, tag="too_old"):
    """Too much was missed to be sent one by one: the topics are followed from `seq` on, take snapshots anew."""

    seq: Seq


class Pong(Frame, frozen=True, tag="pong"):
    """The answer to `ping`. All events up to `seq` have been sent: resume from there."""

    seq: Seq
    server_time: datetime


class Bye(Frame, frozen=True, tag="bye"):
    """The gateway ends the connection. Come back with `last_seq` unless the reason is about the log-in."""

    reason: str


ServerFrame = Welcome | Events | Snapshot | Ok | Error | TooOld | Pong | Bye

_decoder: msgspec.json.Decoder[ConsoleFrame] = msgspec.json.Decoder(ConsoleFrame)
_encoder = msgspec.json.Encoder()


class _Identified(msgspec.Struct):
    id: Id | None = None


_ids = msgspec.json.Decoder(_Identified)


def decode(data: str | bytes) -> ConsoleFrame:
    """Decode a frame of a console; raises InvalidInput with the place of the mistake."""
    try:
        return _decoder.decode(data)
    except UNREADABLE as error:
        raise InvalidInput(f"the frame is not as described in docs/asyncapi.json: {error}") from error


def id_of(data: str | bytes) -> int | None:
    """Return the id of a frame that cannot be decoded otherwise, so that its error still finds its request."""
    try:
        return _ids.decode(data).id
    except UNREADABLE:
        return None


def encode(frame: ServerFrame | Event) -> bytes:
    """Encode a frame of the gateway."""
    return _encoder.encode(frame)
