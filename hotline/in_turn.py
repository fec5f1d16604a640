"""What a sweep does to one after the other, so that one with which something is wrong stands in no other's way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import structlog

from hotline.errors import Unavailable

log = structlog.get_logger(__name__)


async def each_apart(
    steps: Iterable[tuple[str, Callable[[], Awaitable[None]]]], *,
    put_off: Callable[[str], Awaitable[None]] | None = None,
) -> None:
    """Take steps, each with the key it concerns, one after the other; one that fails is logged, and the next is taken.

    `put_off` is told the key of each that failed and lets it wait; without it the first failure is raised at the end.
    Where the database cannot be reached nothing goes on: it would be so for each of them.
    """
    failed: list[Exception] = []
    for key, step in steps:
        try:
            await step()
        except (OSError, Unavailable):
            raise
        except Exception as error:  # whatever is wrong with this one, the others must not wait for it
            log.exception("sweep_failed", key=key)
            if put_off is None:
                failed.append(error)
            else:
                await put_off(key)
    if failed:
        raise failed[0]
