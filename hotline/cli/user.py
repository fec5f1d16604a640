"""`user add`: make an account for a member of staff."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from functools import partial
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import city_of, command, directory_in_force, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "user", run, summary="manage accounts of staff",
        example="python -m hotline user add zhang.san --display-name 张三 --role agent",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    new = command(
        actions, "add", run, summary="add an account; the password is asked for, or read from standard input",
        example="echo 'a long passphrase' | python -m hotline user add sthjj --display-name 生态环境局 "
        "--role department --department 生态环境局",
        act=Act(subject="name", details=("role", "department")),
    )
    new.add_argument("name", help="log-in name")
    new.add_argument("--display-name", default="", help="name that colleagues see (default: the log-in name)")
    new.add_argument(
        "--role", required=True,
        choices=["agent", "supervisor", "department", "system_admin", "security_admin", "audit_admin"],
        help="what the account may do (docs/identity.md)",
    )
    new.add_argument("--department", default="", help="unit, for the role department")
    new.add_argument("--own", action="store_true",
                     help="whoever it is for types the password: it need not be changed at the first log-in")
    phone = command(
        actions, "phone", run_phone, summary="tell where an agent's telephone is rung, and what they know",
        example="python -m hotline user phone zhang.san PJSIP/101 --skill general=1 --skill enterprise=3",
        act=Act(subject="name", details=("endpoint",)),
    )
    phone.add_argument("name", help="log-in name")
    phone.add_argument("endpoint", help="as the PBX rings it")
    phone.add_argument("--skill", action="append", type=_skill, metavar="NAME=LEVEL", default=[],
                       help="level 1 (best) to 5; general=1 where none is given")
    new.add_argument("--if-absent", action="store_true", help="succeed quietly where the account exists")


def _skill(text: str) -> tuple[str, int]:
    name, _, level = text.partition("=")
    if not name or level not in {"1", "2", "3", "4", "5"}:
        raise argparse.ArgumentTypeError(f"{text!r} is no skill with a level, such as general=1")
    return name, int(level)


def run_phone(given: argparse.Namespace) -> int:
    """Keep the telephone."""
    return asyncio.run(_phone(given))


async def _phone(given: argparse.Namespace) -> int:
    from hotline.core import database_dsn
    from hotline.store.database import open_pool
    from hotline.store.telephone import TelephoneStore

    async with await open_pool(database_dsn(settings()), size=2) as pool:
        await TelephoneStore(pool).give_phone(given.name, given.endpoint, dict(given.skill) or {"general": 1})
    sys.stdout.write(f"{given.name} is rung at {given.endpoint}\n")
    return 0


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    from hotline.errors import InvalidInput

    try:
        first, again = getpass.getpass("password: "), getpass.getpass("again: ")
    except EOFError as error:
        raise InvalidInput("no password was given") from error
    if first != again:
        raise InvalidInput("the two passwords differ")
    return first


def run(given: argparse.Namespace) -> int:
    """Add the account."""
    password = _password()
    return asyncio.run(_add(given, password))


async def _add(given: argparse.Namespace, password: str) -> int:
    from agent_ui.accounts import Accounts
    from agent_ui.passwords import Passwords
    from agent_ui.staff import Staff, StaffRole
    from hotline.core import database_dsn, now
    from hotline.errors import InvalidInput
    from hotline.store.accounts import AccountStore
    from hotline.store.database import open_pool
    from hotline.store.directories import DirectoryStore

    chosen = settings()
    staff = Staff(
        name=given.name, display_name=given.display_name or given.name, role=StaffRole(given.role),
        department=given.department,
    )
    async with await open_pool(database_dsn(chosen), size=2) as pool:
        rows, city = DirectoryStore(pool), partial(city_of, chosen)
        if given.department and given.department not in (await directory_in_force(rows, city)).units:
            raise InvalidInput(f"--department: {given.department} is no unit of the dispatch directory in force")
        accounts = Accounts(store=AccountStore(pool), passwords=Passwords(), clock=now)
        try:
            await accounts.add_staff(staff, password, must_change=not given.own)
        except InvalidInput:
            if not (given.if_absent and await accounts.store.is_known(given.name)):
                raise
            return 0
    sys.stdout.write(f"added {given.name} ({given.role})\n")
    return 0
