"""A database that does not answer, told as what it is to who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from hotline.errors import Unavailable
from hotline.store.database import LOST, REFUSED


@contextmanager
def answering() -> Iterator[None]:
    """Turn the loss of the database in the block into Unavailable."""
    try:
        yield
    except LOST as error:
        raise Unavailable("the database does not answer; please repeat in a moment") from error


@contextmanager
def taking() -> Iterator[None]:
    """As `answering`, and what the database could not do just now too: too slow, full, in a deadlock.

    What it refuses over what it is given goes through as it is.
    """
    with answering():
        try:
            yield
        except REFUSED:
            raise
        except asyncpg.PostgresError as error:
            raise Unavailable(f"the database could not take it ({type(error).__name__}): repeat it") from error
