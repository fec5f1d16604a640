"""FunASR's WebSocket protocol for streams (2pass): messages of both sides. Pure.

https://github.com/modelscope/FunASR/blob/main/runtime/docs/websocket_protocol.md – the client begins with JSON, sends
sound as binary messages, and ends with `is_speaking: false`. While somebody speaks the server answers with pieces of
the sentence (`2pass-online`, each to be put behind the last), and then with the whole sentence (`2pass-offline`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from channels.clean import MAX_TEXT, clean
from hotline.errors import UNREADABLE

RATE = 8000
PIECE = 960
"""Bytes in a message: 60 ms at 8 kHz."""


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """How the client begins: what the sound is like, likely words, and sizes of pieces as servers want them."""

    mode: str = "2pass"
    chunk_size: tuple[int, int, int] = (5, 10, 5)
    chunk_interval: int = 10
    wav_name: str = "call"
    wav_format: str = "pcm"
    audio_fs: int = RATE
    is_speaking: bool = True
    itn: bool = True
    hotwords: str = ""


class _End(msgspec.Struct, frozen=True):
    is_speaking: bool = False


class _Answer(msgspec.Struct, frozen=True):
    text: str = ""
    mode: str = ""
    is_final: bool = False


class Said(NamedTuple):
    """What was said: a sentence, or (not `final`) as much of it as is known."""

    text: str
    final: bool


_answers = msgspec.json.Decoder(_Answer)


def begin(*, hotwords: Sequence[str] = ()) -> str:
    """Return the first message. `hotwords` weigh 20 each."""
    weighed = msgspec.json.encode(dict.fromkeys(hotwords, 20)).decode() if hotwords else ""
    return msgspec.json.encode(Begin(hotwords=weighed)).decode()


def end() -> str:
    """Return the last message."""
    return msgspec.json.encode(_End()).decode()


class Sentences:
    """Puts the server's answers together."""

    def __init__(self) -> None:
        self._sofar = ""

    def take(self, data: str | bytes) -> Said | None:
        """Return what an answer adds, as it can be kept; None for one without words, or that is none."""
        try:
            answer = _answers.decode(data)
        except UNREADABLE:
            return None
        text = clean(answer.text)[:MAX_TEXT]
        if not text:
            return None
        if answer.mode.endswith("online"):
            self._sofar = clean((self._sofar + text)[-MAX_TEXT:])
            return Said(self._sofar, final=False)
        self._sofar = ""
        return Said(text, final=True)
