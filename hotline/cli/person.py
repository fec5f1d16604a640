"""`person`: hand out or erase a citizen's data, put and lift legal holds."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hotline.cli.acts import Act, operator
from hotline.cli.base import city_of, command, for_owner, settings

_KEPT = Act(kept_by_store=True)


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "person", holds, summary="a citizen's data (个人信息): export, erase, legal hold; all of it audited",
        example="python -m hotline person export --phone 13800138000 --reason 本人申请 -o zhang.json",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    one = command(
        actions, "export", export, summary="write everything kept under a phone into a file for its owner",
        example="python -m hotline person export --phone 13800138000 --reason 本人申请 -o zhang.json",
        act=_KEPT,
    )
    _whose(one)
    one.add_argument("-o", "--output", type=Path, required=True, help="file to write, for its owner only")
    _whose(command(
        actions, "erase", erase, summary="erase the identity where the law allows, and tell what had to stay and why",
        example="python -m hotline person erase --phone 13800138000 --reason 本人申请", act=_KEPT,
    ))
    held = command(
        actions, "hold", hold, summary="put a legal hold (法律保全) on a ticket, or on all of a phone",
        example="python -m hotline person hold --ticket DG2026112130000017 --reason 诉讼", act=_KEPT,
    )
    which = held.add_mutually_exclusive_group(required=True)
    which.add_argument("--ticket", default="", help="a ticket's number")
    which.add_argument("--phone", default="", help="a citizen's phone")
    held.add_argument("--reason", required=True, help="why; kept in the audit")
    freed = command(
        actions, "release", release, summary="lift a hold",
        example="python -m hotline person release 7 --reason 结案", act=_KEPT,
    )
    freed.add_argument("id", type=int, help="the hold, as `person holds` lists it")
    freed.add_argument("--reason", required=True, help="why; kept in the audit")
    command(actions, "holds", holds, summary="list holds, the newest first", example="python -m hotline person holds")


def _whose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--phone", required=True, help="the citizen's phone, as people write it")
    parser.add_argument("--reason", required=True, help="why; kept in the audit")


@asynccontextmanager
async def _persons() -> AsyncIterator[tuple[Any, dict[str, Any]]]:
    from channels import phone_number
    from hotline.core import database_dsn, now
    from hotline.store.database import open_pool
    from hotline.store.keys import check_keys, prepare
    from hotline.store.persons import PersonStore

    chosen = settings()
    phone_number.live_in(city_of(chosen).area_code)
    ring = prepare(chosen, now())
    async with await open_pool(database_dsn(chosen), size=2) as pool:
        await check_keys(pool, ring, now())
        yield PersonStore(pool), {"by": operator(), "now": now()}


def export(given: argparse.Namespace) -> int:
    """Write a citizen's data."""
    return asyncio.run(_export(given))


async def _export(given: argparse.Namespace) -> int:
    import msgspec

    from agent_ui.person_api import phone_of, reason_of

    with for_owner(given.output) as file:
        async with _persons() as (persons, who):
            found = await persons.export(phone_of(given.phone), reason=reason_of(given.reason), **who)
        file.write(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    sys.stdout.write(f"{given.output}: {len(found.tickets)} tickets, {len(found.calls)} calls\n")
    return 0


def erase(given: argparse.Namespace) -> int:
    """Erase a citizen's identity; 1 where something had to stay."""
    return asyncio.run(_erase(given))


async def _erase(given: argparse.Namespace) -> int:
    from agent_ui.person_api import phone_of, reason_of

    async with _persons() as (persons, who):
        done = await persons.erase(phone_of(given.phone), reason=reason_of(given.reason), **who)
    sys.stdout.write(f"erased: {len(done.erased)} tickets, {done.calls} calls, {done.callbacks} callbacks\n")
    for kept in done.kept:
        sys.stdout.write(f"kept: {kept.number} ({kept.why})\n")
    return 1 if done.kept else 0


def hold(given: argparse.Namespace) -> int:
    """Put a hold."""
    return asyncio.run(_hold(given))


async def _hold(given: argparse.Namespace) -> int:
    from agent_ui.person_api import phone_of, reason_of

    async with _persons() as (persons, who):
        phone = phone_of(given.phone) if given.phone else ""
        id_ = await persons.hold(number=given.ticket, phone=phone, reason=reason_of(given.reason), **who)
    sys.stdout.write(f"hold {id_}\n")
    return 0


def release(given: argparse.Namespace) -> int:
    """Lift a hold."""
    return asyncio.run(_release(given))


async def _release(given: argparse.Namespace) -> int:
    from agent_ui.person_api import reason_of

    async with _persons() as (persons, who):
        await persons.release(given.id, reason=reason_of(given.reason), **who)
    sys.stdout.write(f"hold {given.id} lifted\n")
    return 0


def holds(given: argparse.Namespace) -> int:
    """List holds."""
    return asyncio.run(_holds())


async def _holds() -> int:
    async with _persons() as (persons, _):
        for one in await persons.holds():
            state = f"lifted {one.lifted_at:%Y-%m-%d} by {one.lifted_by}" if one.lifted_at else "in force"
            sys.stdout.write(f"{one.id}  {one.number or 'a citizen'}  {one.held_at:%Y-%m-%d}  {one.reason}  {state}\n")
    return 0
