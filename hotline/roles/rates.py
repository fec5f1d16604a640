"""The rate limits of the intake role: by address, citizen and token, counted together by all processes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import msgspec

from channels.limits import Guesses, RateLimit
from hotline.config import Settings
from hotline.core import Core
from hotline.jobs import repeated, supervised
from hotline.store import sealing
from hotline.store.rates import INTERVAL, Exchange

_CHAT = 30
"""Messages a minute that one address may say in chats, where `web_rate` is less."""
_READS = 60
"""Reads a minute of one address: of Open311's requests, and as many looks before sending."""


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """All limits. `citizen` and `token` are None where the settings switch them off."""

    web: RateLimit
    chat: RateLimit
    looks: RateLimit
    open311: RateLimit
    login: RateLimit
    sso: RateLimit
    guesses: Guesses
    citizen: RateLimit | None
    token: RateLimit | None

    def all(self) -> list[RateLimit]:
        """Return every limit."""
        some = [self.web, self.chat, self.looks, self.open311, self.login, self.sso, *self.guesses.limits()]
        return some + [limit for limit in (self.citizen, self.token) if limit is not None]


def rates_of(settings: Settings) -> Rates:
    """Return the limits; of addresses, citizens and tokens keyed hashes are kept and shared.

    Who lets one address send more appeals (a proxy, a trial) lets it say as much more in chats.
    """
    of = _hashed()
    return Rates(
        web=RateLimit(settings.web_rate, 60, name="web", of=of),
        chat=RateLimit(max(_CHAT, settings.web_rate), 60, name="chat", of=of),
        looks=RateLimit(_READS, 60, name="looks", of=of), open311=RateLimit(_READS, 60, name="open311", of=of),
        login=RateLimit(30, 600, name="login", of=of), sso=RateLimit(30, 600, name="sso", of=of),
        guesses=Guesses(of=of),
        citizen=RateLimit(settings.citizen_rate, 60, name="citizen", of=of) if settings.citizen_rate else None,
        token=RateLimit(settings.token_rate, 60, name="token", of=of) if settings.token_rate else None,
    )


def _hashed() -> Callable[[str], str]:
    """Return a keyed hash that is the same in every process, and a tenth of the cost of a blind index."""
    key = sealing.blind("rate limits").encode()[:64]
    blake = partial(hashlib.blake2b, digest_size=12, key=key)
    return lambda text: blake(text.encode(errors="replace")).hexdigest()


async def share(core: Core, rates: Rates) -> None:
    """Tell other processes once a second what was counted here, until cancelled."""
    exchange = Exchange(core.pool, rates.all(), now=lambda: core.clock().timestamp())
    await supervised("rates", lambda: repeated(exchange.step, interval=INTERVAL), pause=INTERVAL)
