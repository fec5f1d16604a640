"""What the roles carry of privacy and audit: routes, and the retention sweep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from agent_ui import person_api
from agent_ui.accounts import Accounts
from agent_ui.gate import known
from hotline.core import Core
from hotline.store.aging import STEP
from hotline.store.persons import PersonStore


def routes(core: Core, accounts: Accounts) -> list[web.AbstractRouteDef]:
    """Return the routes."""
    return person_api.routes(PersonStore(core.pool), known=known(accounts), clock=core.clock)


def sweeps(core: Core) -> dict[str, tuple[Callable[[], Awaitable[None]], float]]:
    """Return what erases identities in their time, and what chains the audit."""
    persons = PersonStore(core.pool)

    async def retain() -> None:
        while await persons.sweep(core.clock(), years=core.settings.retention_years) >= STEP:
            pass

    return {"retention": (retain, 600.0), "audit": (core.chain_audit, 1.0)}
