"""The event feed as its readers (console gateway, webhooks, metrics) see it: durable facts with one number each.

`seq` is the event's position in the log: it grows in the order in which readers get events, is the same for every
reader and survives restarts. It is at most 2**53 - 1, so JSON and JavaScript keep it whole.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

MAX_SEQ = 2**53 - 1
PRESENCE_TOPIC = "presence"
CALLBACK_TOPIC = "callbacks"


class FeedEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of the log.

    Attributes:
        type: the fact's tag (`receive`, `dispatch`, …), `presence` or `callback`.
        actor: `role:name` of who acted.
        topics: who is concerned; lists before and after the event (`hotline.summary.topics`).
        number: the ticket's number, "" for presence and callbacks.
        summary: JSON of the ticket's `Summary` after the event, "" for presence and callbacks.
        doc: JSON of the whole event where the reader asked for it, else ""; always there for presence and callbacks.
    """

    seq: int
    at: datetime
    type: str
    actor: str
    topics: tuple[str, ...]
    number: str = ""
    summary: str = ""
    doc: str = ""
