"""Units' own systems: who registers them, how they prove who they are. Secrets are made here and told once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from agent_ui.accounts import token_hash
from hotline.errors import NotFound, Unauthenticated
from hotline.ports import Clock
from hotline.unit_ports import UnitSystem
from routing.addresses import Network, check_url
from routing.directory import Directory

log = structlog.get_logger(__name__)


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's system as registered. `secret` signs webhooks, `token` opens the pull API; "" where they stay."""

    unit: str
    url: str
    active: bool
    secret: str = ""
    token: str = ""


class Systems(Protocol):
    """Where systems are kept (`hotline.store.units.UnitStore`)."""

    async def put_system(
        self, unit: str, *, url: str, active: bool, secret: str | None, token_hash: bytes | None, by: str, now: datetime
    ) -> None:
        """Register a system or change it; None keeps the secret or the token that it has."""
        ...

    async def is_registered(self, unit: str) -> bool:
        """Tell whether a unit has a system here."""
        ...

    async def systems(self, now: datetime) -> list[UnitSystem]:
        """Return all systems."""
        ...

    async def unit_of_token(self, token_hash: bytes) -> str | None:
        """Return whose token this is."""
        ...


class Units:
    """Registers units' systems and knows them by their tokens."""

    def __init__(
        self, *, store: Systems, directory: Callable[[], Directory], allowed: Sequence[Network], clock: Clock
    ) -> None:
        """`allowed`: networks beside the public ones that webhooks may go to."""
        self._store, self._directory, self._allowed, self._clock = store, directory, allowed, clock

    async def register(self, unit: str, *, url: str, active: bool = True, renew: bool = False, by: str) -> Registered:
        """Register a unit's system, or change it; new secrets are made the first time, and where `renew`ed.

        Args:
            url: where webhooks go; "" for a unit that only pulls.

        Raises:
            NotFound: the dispatch directory has no such unit.
            InvalidInput: webhooks must not go to this address.
        """
        directory = self._directory()
        if unit not in directory.units:
            raise NotFound(f"{unit} is not in the dispatch directory {directory.version}")
        address = check_url(url, self._allowed) if url else ""
        fresh = renew or not await self._store.is_registered(unit)
        secret, token = (secrets.token_urlsafe(32), secrets.token_urlsafe(32)) if fresh else ("", "")
        await self._store.put_system(
            unit, url=address, active=active, secret=secret or None, token_hash=token_hash(token) if token else None,
            by=by, now=self._clock(),
        )
        log.info("unit_system_registered", unit=unit, url=address, active=active, new_secrets=fresh, by=by)
        return Registered(unit=unit, url=address, active=active, secret=secret, token=token)

    async def systems(self) -> list[UnitSystem]:
        """Return all systems, without their secrets."""
        return await self._store.systems(self._clock())

    async def authenticate(self, token: str) -> str:
        """Return the unit whose token this is. Raises Unauthenticated."""
        unit = await self._store.unit_of_token(token_hash(token)) if token else None
        if unit is None:
            raise Unauthenticated("the bearer token is no active unit's: ask the hotline's system administrator")
        return unit
