"""The chat of the web page: JSON frames over WebSocket ↔ values. Pure.

    client → hello {session?, last_seq?, queue?} · message {id, text, attachments?, person?}
    server → welcome {session, last_seq} · line {seq, author, text, at, id?} · ack {id, seq, …} · error {id?, …}
             queue {phase, ahead} to who asked for it with `queue`, whenever it changes

Lines are numbered from 1 within a session; a client that comes back names the last one it has and gets the later ones.
A message carries the client's own id: sent again it is acknowledged again and written once.

Who has a session reads the chat and writes in it, so it is kept nowhere here: everything goes by a hash of it.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from channels.appeal_codec import MAX_ATTACHMENTS, AppealAnswer, AttachmentBody, answer_of, decode_json
from channels.clean import MAX_TEXT, required_text
from channels.message import Inbound, Receipt
from channels.views import ChatLine, ChatPhase, ChatStanding
from hotline.appeal import Appeal, Attachment, Citizen
from hotline.errors import HotlineError, InvalidInput, Overloaded, RateLimited
from hotline.terms import Channel

MAX_FRAME = 256 * 1024
MOST_LINES = 2**31 - 1
"""As far as lines are numbered: beyond it the one query that looks for the lines of all chats would fail."""
KEY = "chat:"
CITIZEN, HOTLINE = "citizen", "hotline"
_HASHED = "s."
"""How a session begins that is kept as a hash; older software refuses it, and the client comes back elsewhere."""
_SESSION = re.compile(r"(?:s\.)?[A-Za-z0-9_-]{32,64}")
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello", forbid_unknown_fields=True):
    """The first frame: without a session a new one begins; with `queue` the client is told its place in the queue."""

    session: Annotated[str, Meta(max_length=64)] = ""
    last_seq: Annotated[int, Meta(ge=0, le=MOST_LINES)] = 0
    queue: bool = False


class Say(msgspec.Struct, frozen=True, kw_only=True, tag="message", forbid_unknown_fields=True):
    """The citizen says something; `id` is unique within the session. With `person` an agent is to answer."""

    id: Annotated[str, Meta(max_length=64)]
    text: Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
    attachments: Annotated[list[AttachmentBody], Meta(max_length=MAX_ATTACHMENTS)] = []
    person: bool = False


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """The session (a secret of the client, who alone has it) and from where lines follow."""

    session: str
    last_seq: int


class Line(msgspec.Struct, frozen=True, kw_only=True, tag="line", omit_defaults=True):
    """One line; `id` is the client's own where the citizen wrote it."""

    seq: int
    author: str
    text: str
    at: datetime
    id: str = ""


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag="ack"):
    """The message with this id is safe, as line `seq`; `appeal` is what became of it."""

    id: str
    seq: int
    appeal: AppealAnswer


class QueuePlace(msgspec.Struct, frozen=True, kw_only=True, tag="queue"):
    """How the chat stands: waiting for an agent with so many `ahead`, with an agent, handled by a unit, or over."""

    phase: ChatPhase
    ahead: int = 0


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="error", omit_defaults=True):
    """A frame was refused, for its `field`. With `retry_after` (seconds) the same frame may be sent again."""

    error_id: str
    detail: str
    id: str = ""
    field: str = ""
    retry_after: int = 0


Frame = Hello | Say
Answer = Welcome | Line | Ack | QueuePlace | Failed
_decoder: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_answers: msgspec.json.Decoder[Answer] = msgspec.json.Decoder(Answer)


def decode_frame(data: bytes | str) -> Frame:
    """Return a client's frame, checked; raises InvalidInput."""
    frame = decode_json(_decoder, data.encode(errors="surrogatepass") if isinstance(data, str) else data)
    if isinstance(frame, Hello) and frame.session and _SESSION.fullmatch(frame.session) is None:
        raise InvalidInput("session is none of ours; leave it out to begin a new one")
    if isinstance(frame, Say):
        if _ID.fullmatch(frame.id) is None:
            raise InvalidInput("id must be 1 to 64 letters, digits or ._:-")
        return msgspec.structs.replace(frame, text=required_text(frame.text))
    return frame


def new_session(random: str) -> str:
    """Return a session made of 43 random characters."""
    return _HASHED + random


def kept_as(session: str) -> str:
    """Return what stands for a session in all that is kept; it opens no chat.

    256 random bits need no key. Sessions of before, without the beginning, are kept as they are.
    """
    if not session.startswith(_HASHED):
        return session
    return "h." + urlsafe_b64encode(sha256(session.encode()).digest()).decode().rstrip("=")


def inbound_of(session: str, said: Say, files: tuple[Attachment, ...], *, now: datetime) -> Inbound:
    """Return a message as a delivery of the channel `web`, part of the session's conversation."""
    appeal = Appeal(text=said.text, citizen=Citizen(key=KEY + session), attachments=files)
    return Inbound(
        channel=Channel.WEB, external_id=f"{KEY}{session}:{said.id}", appeal=appeal, received_at=now,
        conversation=KEY + session, source="chat", person=said.person,
    )


def line_of(line: ChatLine) -> Line:
    """Return a recorded line as the client sees it."""
    own = line.key.removeprefix("c:") if line.author == CITIZEN else ""
    return Line(seq=line.seq, author=line.author, text=line.text, at=line.at, id=own)


def ack_of(said: Say, line: ChatLine, receipt: Receipt) -> Ack:
    """Return the acknowledgement of a message."""
    return Ack(id=said.id, seq=line.seq, appeal=answer_of(receipt))


def standing_of(standing: ChatStanding) -> QueuePlace:
    """Return a chat's standing as the client sees it."""
    return QueuePlace(phase=standing.phase, ahead=standing.ahead)


def failed(error: HotlineError, *, id: str = "") -> Failed:
    """Return an error as a frame."""
    wait = error.retry_after if isinstance(error, Overloaded | RateLimited) else 0
    return Failed(error_id=error.error_id, detail=error.detail, id=id, field=error.field, retry_after=wait)


def encode(answer: Answer) -> str:
    """Return a server's frame as text."""
    return msgspec.json.encode(answer).decode()


def decode_answer(data: bytes | str) -> Answer:
    """Return a server's frame (for clients and tests); raises InvalidInput."""
    return decode_json(_answers, data.encode() if isinstance(data, str) else data)
