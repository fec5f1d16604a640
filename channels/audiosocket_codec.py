"""Asterisk's AudioSocket: what a stream of bytes says. Pure.

https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket/ – each message is a kind (one byte), a length (two
bytes, big-endian) and so many bytes. Sound is signed linear, 16 bits, 8 kHz, mono, little-endian.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from hotline.errors import InvalidInput

HEAD = 3


class Kind(IntEnum):
    """Kinds of messages; others mean nothing to a listener."""

    HANG_UP = 0x00
    ID = 0x01
    DTMF = 0x03
    AUDIO = 0x10
    ERROR = 0xFF


class Message(NamedTuple):
    """One message."""

    kind: int
    data: bytes


class Messages:
    """Cuts a stream into messages, however it arrives."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are whole now."""
        rest, found = self._rest + data, []
        while len(rest) >= HEAD and len(rest) >= (end := HEAD + int.from_bytes(rest[1:HEAD])):
            found.append(Message(rest[0], rest[HEAD:end]))
            rest = rest[end:]
        self._rest = rest
        return found


def id_of(message: Message) -> str:
    """Return the id with which a connection begins, as 32 hexadecimal digits. Raises InvalidInput for anything else."""
    if message.kind != Kind.ID or len(message.data) != 16:
        raise InvalidInput("an AudioSocket begins with its id of 16 bytes")
    return message.data.hex()


def encode(kind: Kind, data: bytes = b"") -> bytes:
    """Return a message's bytes."""
    return bytes([kind]) + len(data).to_bytes(2) + data
