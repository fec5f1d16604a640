"""A PNG made small: at most 256 colours by a palette, the commonest first. For pictures of pages, which have few."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_HEAD = b"\x89PNG\r\n\x1a\n"
Pixels = NDArray[np.uint8]


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_HEAD)
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixels(data: bytes) -> Pixels:
    """Return the pixels of a truecolour PNG of 8 bits a channel, shape (height, width, 3); raises ValueError else."""
    chunks = list(_chunks(data))
    width, height, depth, kind = struct.unpack(">IIBB", chunks[0][1][:10])
    if depth != 8 or kind not in (2, 6):
        raise ValueError("only truecolour pictures of 8 bits are made smaller")
    channels = 3 if kind == 2 else 4
    raw = zlib.decompress(b"".join(body for name, body in chunks if name == b"IDAT"))
    rows = np.frombuffer(raw, np.uint8).reshape(height, 1 + width * channels)
    before = np.zeros((width, channels), np.uint8)
    out = np.empty((height, width, channels), np.uint8)
    for y in range(height):
        out[y] = before = _unfiltered(int(rows[y, 0]), rows[y, 1:].reshape(width, channels), before)
    return out[:, :, :3]


def _unfiltered(kind: int, row: Pixels, above: Pixels) -> Pixels:
    if kind == 0:
        return row
    if kind == 1:
        return np.cumsum(row, axis=0, dtype=np.uint8)
    if kind == 2:
        return row + above
    out = np.empty_like(row)
    left = corner = np.zeros(row.shape[1], np.int32)
    for x in range(len(row)):
        up = above[x].astype(np.int32)
        guess = (left + up) // 2 if kind == 3 else _paeth(left, up, corner)
        out[x] = (row[x] + guess) & 0xFF
        left, corner = out[x].astype(np.int32), up
    return out


def _paeth(left: NDArray[np.int32], up: NDArray[np.int32], corner: NDArray[np.int32]) -> NDArray[np.int32]:
    guess = left + up - corner
    by_left, by_up, by_corner = abs(guess - left), abs(guess - up), abs(guess - corner)
    return np.where((by_left <= by_up) & (by_left <= by_corner), left, np.where(by_up <= by_corner, up, corner))


def smaller(data: bytes) -> bytes:
    """Return the picture with a palette; colours beyond the 256 commonest become the nearest of them."""
    picture = pixels(data)
    height, width, _ = picture.shape
    flat = picture.reshape(-1, 3).astype(np.int32)
    codes = (flat[:, 0] << 16) | (flat[:, 1] << 8) | flat[:, 2]
    colours, where, counts = np.unique(codes, return_inverse=True, return_counts=True)
    chosen = np.sort(colours[np.argsort(-counts)[:256]])
    parts = np.stack([colours >> 16, colours >> 8 & 0xFF, colours & 0xFF], axis=1)
    palette = np.stack([chosen >> 16, chosen >> 8 & 0xFF, chosen & 0xFF], axis=1)
    nearest = np.concatenate([
        ((some[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2).argmin(axis=1)
        for some in np.array_split(parts, max(1, len(parts) // 4096))
    ])
    rows = np.zeros((height, 1 + width), np.uint8)
    rows[:, 1:] = nearest[where].reshape(height, width)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours_of = palette.astype(np.uint8).tobytes()
    chunks = ((b"IHDR", head), (b"PLTE", colours_of), (b"IDAT", zlib.compress(rows.tobytes(), 9)))
    return _HEAD + b"".join(_chunk(name, body) for name, body in (*chunks, (b"IEND", b"")))
