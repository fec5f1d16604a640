"""Units' own systems: who registers them, how they prove who they are. Secrets are made here and told once.

The system administrator says where a unit's system is, and never learns its secrets: the token opens tickets. The unit
makes them itself; whoever has the machine may too (`python -m hotline unit register`).
"""

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


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where a unit's system is, and whether it is switched on."""

    unit: str
    url: str
    active: bool


class Systems(Protocol):
    """Where systems are kept (`hotline.store.units.UnitStore`)."""

    async def put_system(
        self, unit: str, *, url: str, active: bool, secret: str | None, token_hash: bytes | None, by: str, now: datetime
    ) -> None:
        """Register a system or change it; None keeps the secret or the token that it has."""
        ...

    async def renew_secrets(
        self, unit: str, *, secret: str, token_hash: bytes, by: str, now: datetime
    ) -> tuple[str, bool] | None:
        """Give a registered system new secrets; return its address and whether it is on, None where there is none."""
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
        """Register a unit's system on the machine; new secrets are made the first time, and where `renew`ed.

        Args:
            url: where webhooks go; "" for a unit that only pulls.

        Raises:
            NotFound: the dispatch directory has no such unit.
            InvalidInput: webhooks must not go to this address.
        """
        address = self._checked(unit, url)
        fresh = renew or not await self._store.is_registered(unit)
        secret, token = _secrets() if fresh else ("", "")
        await self._store.put_system(
            unit, url=address, active=active, secret=secret or None, token_hash=token_hash(token) if token else None,
            by=by, now=self._clock(),
        )
        log.info("unit_system_registered", unit=unit, url=address, active=active, new_secrets=fresh, by=by)
        return Registered(unit=unit, url=address, active=active, secret=secret, token=token)

    async def place(self, unit: str, *, url: str, active: bool = True, by: str) -> Address:
        """Register a unit's system, or change where it is, without learning its secrets. Raises as `register` does.

        A new system has no token, and signs with a secret that nobody knows, until the unit makes its own.
        """
        address = self._checked(unit, url)
        unknown = None if await self._store.is_registered(unit) else _secrets()[0]
        await self._store.put_system(
            unit, url=address, active=active, secret=unknown, token_hash=None, by=by, now=self._clock()
        )
        log.info("unit_system_placed", unit=unit, url=address, active=active, by=by)
        return Address(unit=unit, url=address, active=active)

    async def renew(self, unit: str, *, by: str) -> Registered:
        """Make a unit's secrets anew, for its own account; the old ones end at once. Raises NotFound."""
        secret, token = _secrets()
        kept = await self._store.renew_secrets(
            unit, secret=secret, token_hash=token_hash(token), by=by, now=self._clock()
        )
        if kept is None:
            raise NotFound(f"{unit} has no system here: ask the hotline's system administrator to register its address")
        log.info("unit_secrets_renewed", unit=unit, by=by)
        return Registered(unit=unit, url=kept[0], active=kept[1], secret=secret, token=token)

    def _checked(self, unit: str, url: str) -> str:
        directory = self._directory()
        if unit not in directory.units:
            raise NotFound(f"{unit} is not in the dispatch directory {directory.version}")
        return check_url(url, self._allowed) if url else ""

    async def systems(self) -> list[UnitSystem]:
        """Return all systems, without their secrets."""
        return await self._store.systems(self._clock())

    async def authenticate(self, token: str) -> str:
        """Return the unit whose token this is. Raises Unauthenticated."""
        unit = await self._store.unit_of_token(token_hash(token)) if token else None
        if unit is None:
            raise Unauthenticated("the bearer token is no active unit's: the unit makes one with its own account")
        return unit


def _secrets() -> tuple[str, str]:
    """Return a secret to sign with and a token."""
    return secrets.token_urlsafe(32), secrets.token_urlsafe(32)
