"""A database that does not answer, told as what it is to who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hotline.errors import Unavailable
from hotline.store.database import LOST


@contextmanager
def answering() -> Iterator[None]:
    """Turn the loss of the database in the block into Unavailable."""
    try:
        yield
    except LOST as error:
        raise Unavailable("the database does not answer; please repeat in a moment") from error
