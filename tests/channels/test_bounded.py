"""Bodies are read to their end, or as far as they may go, in whatever pieces they come."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hypothesis import given
from hypothesis import strategies as st

from channels.bounded import read_up_to


class Pieces:
    def __init__(self, pieces: list[bytes]) -> None:
        self.left = pieces

    async def iter_any(self) -> AsyncIterator[bytes]:
        while self.left:
            yield self.left.pop(0)


@given(st.lists(st.binary(min_size=1, max_size=8)), st.integers(1, 40))
async def test_the_pieces_make_no_difference(pieces: list[bytes], most: int) -> None:
    assert await read_up_to(Pieces(list(pieces)), most) == b"".join(pieces)[:most]


async def test_what_is_too_long_is_not_read_on() -> None:
    content = Pieces([b"abc", b"def", b"ghi"])
    assert await read_up_to(content, 4) == b"abcd"
    assert content.left == [b"ghi"]
