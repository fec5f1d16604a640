"""REST over ARI's WebSocket: requests and answers as JSON frames among the events. Pure.

https://docs.asterisk.org/Configuration/Interfaces/Asterisk-REST-Interface-ARI/ARI-REST-over-WebSocket (Asterisk 20.14,
21.9 and 22.4 on). Files of recordings do not come this way: the PBX answers 406.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from channels.ari_codec import Request
from hotline.errors import UNREADABLE


class _Frame(msgspec.Struct, frozen=True):
    type: str = ""
    request_id: str = ""
    status_code: int = 0
    message_body: str = ""


class Answered(NamedTuple):
    """The answer to the request of this id."""

    id: str
    status: int
    body: bytes


_frames = msgspec.json.Decoder(_Frame)


def encode_request(request: Request, *, id_: str) -> str:
    """Return a request as a frame."""
    query = f"?{urlencode(request.query, quote_via=quote)}" if request.query else ""
    return msgspec.json.encode({
        "type": "RESTRequest", "request_id": id_, "method": request.method,
        "uri": request.path.removeprefix("/") + query,
    }).decode()


def decode_answer(data: str) -> Answered | None:
    """Return the answer that a frame is; None for an event, and for what is no frame at all."""
    try:
        frame = _frames.decode(data)
    except UNREADABLE:
        return None
    if frame.type != "RESTResponse":
        return None
    return Answered(frame.request_id, frame.status_code, frame.message_body.encode())
