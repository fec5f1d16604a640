"""Acts of the command line in the audit (docs/audit.md): whoever runs a command that changes people or data is kept.

A command that is given an `Act` leaves a record before it begins, and another with its result: where the first cannot
be written nothing is done, and an act that was cut off is one that has no second.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pwd
import sys
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from hotline.audit import OK, Record, result_of
from hotline.config import load
from hotline.errors import HotlineError, Unavailable
from hotline.privacy import starred

Run = Callable[[argparse.Namespace], int]
BEGUN = "begun"
_LONGEST = 200


class Act(NamedTuple):
    """What a command changes, as the audit tells it.

    Attributes:
        subject: the argument that says what was done to; never personal data.
        details: arguments that are kept as they were given, long numbers starred.
        changes: whether anything is changed with these arguments (`--dry-run`).
        kept_by_store: the store keeps what succeeds, in the transaction of the act; refusals are kept here.
        announced: kept before it begins too; not where the database is only about to be.
    """

    subject: str = ""
    details: tuple[str, ...] = ()
    changes: Callable[[argparse.Namespace], bool] = lambda _: True
    kept_by_store: bool = False
    announced: bool = True


def user() -> str:
    """Return the operating system's user, by the process and not by the environment, which anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        return str(os.getuid())


def operator() -> str:
    """Return who runs the command, as the audit names actors: `command_line:user`."""
    return f"command_line:{user()}"


def kept(run: Run, act: Act, *, name: str) -> Run:
    """Return `run` with records of it in the audit.

    Args:
        name: of the act, `user.add`.
    """
    def carried_out(given: argparse.Namespace) -> int:
        if not act.changes(given):
            return run(given)
        record = _record(given, act, name)
        if act.announced and not act.kept_by_store:
            _keep(msgspec.structs.replace(record, result=BEGUN))
        try:
            status = run(given)
        except BaseException as error:  # whatever ended it, an interrupt too, is kept and goes on
            _keep_refusal(record, error)
            raise
        if not act.kept_by_store:
            detail = record.detail | getattr(given, "outcome", {})
            _keep(_now(record, OK if status == 0 else f"status_{status}", detail))
        return status
    return carried_out


def _record(given: argparse.Namespace, act: Act, name: str) -> Record:
    from hotline.core import now

    told = {detail: _text(getattr(given, detail)) for detail in act.details if getattr(given, detail)}
    if "SUDO_USER" in os.environ:
        told["sudo"] = _text(os.environ["SUDO_USER"])
    subject = _text(getattr(given, act.subject)) if act.subject else ""
    return Record(at=now(), actor=operator(), act=name, subject=subject, detail=told)


def _text(value: object) -> str:
    parts = value if isinstance(value, (list, tuple)) else [value]
    return starred(" ".join(str(part) for part in parts))[:_LONGEST]


def _now(record: Record, result: str, detail: dict[str, str]) -> Record:
    from hotline.core import now

    return msgspec.structs.replace(record, at=now(), result=result, detail=detail)


def _keep(record: Record) -> None:
    from hotline.core import database_dsn
    from hotline.store.apart import keep_apart

    asyncio.run(keep_apart(database_dsn(load()), record))


def _keep_refusal(record: Record, error: BaseException) -> None:
    """Keep why it was not done; the error itself is what the user is told, whether that can be kept or not."""
    try:
        _keep(_now(record, _result_of(error), record.detail))
    except HotlineError as lost:
        same = isinstance(error, HotlineError) and error.detail == lost.detail  # it is the database that is away
        if not same and lost.error_id != "not_migrated":
            sys.stderr.write(f"hotline: not kept in the audit: {lost.detail}\n")


def _result_of(error: BaseException) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted"
        case OSError():  # told as such by the command line (hotline.__main__)
            return Unavailable.error_id
        case _:
            return result_of(error)
