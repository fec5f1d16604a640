"""What one gateway bears."""

from __future__ import annotations

import msgspec

from agent_ui.presence import LEASE_SECONDS


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes.

    Attributes:
        max_buffer: waiting for one console; above it the console is dropped to resume.
        outstanding: requests of one console under way at once. mistakes: frames it may get wrong.
        rows: parts of the hall that are told one after the other; between two of them, everything else has its turn.
        ring: recent events kept in memory. replay: events a returning console may have missed. page: read at once.
        lease: a console silent for so long frees its agent. ping: between our own signs of life.
        idle: a person who does nothing for so long is logged out (等保三级).
        grace: for what is under way when a connection ends.
    """

    consoles: int = 10_000
    max_buffer: int = 1 << 20
    outstanding: int = 8
    mistakes: int = 20
    rows: int = 8
    ring: int = 10_000
    replay: int = 50_000
    page: int = 500
    hello: float = 5.0
    lease: float = LEASE_SECONDS
    ping: float = 4.0
    housekeeping: float = 2.0
    idle: float = 900.0
    grace: float = 2.0
