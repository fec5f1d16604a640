"""`unit`: register units' own systems, look at their webhooks, resend what was given up."""

from __future__ import annotations

import argparse
import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING, Any

from hotline.cli.acts import Act, operator
from hotline.cli.base import city_of, command, directory_in_force, settings

if TYPE_CHECKING:
    from hotline.store.units import UnitStore
    from hotline.units import Units


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "unit", _list, summary="register units' own systems and look after their webhooks",
        example="python -m hotline unit register 水务局 --url https://system.example.gov.cn/12345",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = command(
        actions, "register", _register, summary="register a unit's system or change it; new secrets are printed once",
        example="python -m hotline unit register 水务局 --url https://system.example.gov.cn/12345",
        act=Act(subject="unit", details=("url", "renew", "off")),
    )
    new.add_argument("unit", help="as the dispatch directory names it")
    new.add_argument("--url", default="", help="where webhooks go; without it the unit only pulls")
    new.add_argument("--renew", action="store_true", help="make new secrets, the old ones end at once")
    new.add_argument("--off", action="store_true", help="switch the system off")
    command(actions, "list", _list, summary="list the systems", example="python -m hotline unit list")
    dead = command(
        actions, "dead", _dead, summary="list webhooks that were given up after 24 hours",
        example="python -m hotline unit dead --unit 水务局",
    )
    dead.add_argument("--unit", default="", help="of one unit only")
    again = command(
        actions, "resend", _resend, summary="try webhooks anew for 24 hours, under the same id",
        example="python -m hotline unit resend wh-1-123456", act=Act(subject="id"),
    )
    again.add_argument("id", nargs="+", help="as `unit dead` lists them")


def _register(given: argparse.Namespace) -> int:
    async def work(units: Units, _: UnitStore) -> None:
        made = await units.register(
            given.unit, url=given.url, active=not given.off, renew=given.renew, by=operator()
        )
        lines = [f"unit    {made.unit}", f"url     {made.url or '(pulls only)'}"]
        lines += [f"secret  {made.secret}", f"token   {made.token}"] if made.token else []
        sys.stdout.write("\n".join(lines) + "\n")

    return _run(work)


def _list(given: argparse.Namespace) -> int:
    async def work(units: Units, _: UnitStore) -> None:
        for one in await units.systems():
            state = "on " if one.active else "off"
            sys.stdout.write(f"{one.unit}\t{state}\t{one.url}\twaiting {one.pending}\tgiven up {one.dead}\n")

    return _run(work)


def _dead(given: argparse.Namespace) -> int:
    async def work(_: Units, store: UnitStore) -> None:
        for one in await store.deliveries(unit=given.unit, state="dead", limit=500):
            line = f"{one.id}\t{one.unit}\t{one.number}\t{one.event}\t{one.attempts} attempts\t{one.last_error}"
            sys.stdout.write(line + "\n")

    return _run(work)


def _resend(given: argparse.Namespace) -> int:
    from hotline.core import now

    async def work(_: Units, store: UnitStore) -> None:
        for id_ in given.id:
            await store.resend(id_, now=now())
            sys.stdout.write(f"{id_} will be tried again\n")

    return _run(work)


def _run(work: Any) -> int:
    asyncio.run(_connected(work))
    return 0


async def _connected(work: Any) -> None:
    from hotline.core import database_dsn, now
    from hotline.store.database import open_pool
    from hotline.store.directories import DirectoryStore
    from hotline.store.keys import prepare
    from hotline.store.units import UnitStore
    from hotline.units import Units
    from routing.addresses import networks

    chosen = settings()
    prepare(chosen, now())
    async with await open_pool(database_dsn(chosen), size=2) as pool:
        store, directory = UnitStore(pool), await directory_in_force(DirectoryStore(pool), partial(city_of, chosen))
        units = Units(store=store, directory=lambda: directory, allowed=networks(chosen.webhook_networks), clock=now)
        await work(units, store)
