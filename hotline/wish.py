"""A micro-wish (微心愿, 民生大莞家) beside a ticket's life: published, promised by donors, delivered. Pure.

    (nothing) ── publish ──► published ── pledges ──► claimed ── deliveries ──► fulfilled
                                 └──────── unpublish ───────┘   (what was delivered stays delivered)

The ticket itself goes its ordinary way: the unit that cares for the wish signs, and replies once it is fulfilled.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hotline import commands as c
from hotline.errors import RuleViolation

WishCommand = c.PublishWish | c.UnpublishWish | c.PledgeWish | c.DeliverWish | c.CancelPledge
MAX_PLEDGES = 500
"""A ticket is replayed from its events, so a wish must stay of a size that can be read at once."""


class PledgeState(StrEnum):
    """How far a donor's promise has come."""

    PROMISED = "promised"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class WishState(StrEnum):
    """How far a wish has come, worked out from its pledges."""

    HIDDEN = "hidden"
    PUBLISHED = "published"
    CLAIMED = "claimed"
    FULFILLED = "fulfilled"


class Pledge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One donor's promise; `key` is theirs, `contact` how to reach them (for staff only)."""

    key: str
    donor: str
    quantity: int
    contact: str = ""
    note: str = ""
    state: PledgeState = PledgeState.PROMISED


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is wished for: `needed` of `unit` (3 份), told to the public under `title`."""

    title: str
    needed: int
    unit: str
    pledges: tuple[Pledge, ...] = ()
    published: bool = True

    @property
    def promised(self) -> int:
        """How much is promised or delivered."""
        return sum(pledge.quantity for pledge in self.pledges if pledge.state is not PledgeState.CANCELLED)

    @property
    def delivered(self) -> int:
        """How much has arrived."""
        return sum(pledge.quantity for pledge in self.pledges if pledge.state is PledgeState.DELIVERED)

    @property
    def state(self) -> WishState:
        """How far it has come."""
        if self.delivered >= self.needed:
            return WishState.FULFILLED
        if not self.published:
            return WishState.HIDDEN
        return WishState.CLAIMED if self.promised >= self.needed else WishState.PUBLISHED


def after(wish: Wish | None, command: WishCommand) -> Wish:
    """Return the wish after a command.

    Raises:
        RuleViolation: it is not published, or more would be promised than is needed, or there is no such pledge.
    """
    match command:
        case c.PublishWish(title=title, needed=needed, unit=unit):
            return _published(wish, title, needed, unit)
        case c.UnpublishWish():
            return msgspec.structs.replace(_open(wish), published=False)
        case c.PledgeWish():
            return _pledged(_open(wish), command)
        case c.DeliverWish(pledge=key):
            return _settled(wish, key, PledgeState.DELIVERED)
        case c.CancelPledge(pledge=key):
            return _settled(wish, key, PledgeState.CANCELLED)


def _require(condition: bool, rule: str) -> None:
    if not condition:
        raise RuleViolation(rule)


def _open(wish: Wish | None) -> Wish:
    if wish is None or not wish.published:
        raise RuleViolation("the wish is not published")
    return wish


def _published(wish: Wish | None, title: str, needed: int, unit: str) -> Wish:
    _require(bool(title.strip()) and 1 <= needed <= 1_000_000, "a wish has a title, and needs 1 to 1,000,000")
    if wish is None:
        return Wish(title=title, needed=needed, unit=unit)
    _require(needed >= wish.promised, f"{wish.promised} are promised already: the wish cannot need less")
    return msgspec.structs.replace(wish, title=title, needed=needed, unit=unit, published=True)


def _pledged(wish: Wish, command: c.PledgeWish) -> Wish:
    known = {pledge.key for pledge in wish.pledges}
    _require(command.pledge not in known, f"the pledge {command.pledge} is there already")
    _require(bool(command.donor.strip()), "a pledge names its donor")
    left = wish.needed - wish.promised
    _require(1 <= command.quantity <= left, f"{left} {wish.unit} are still needed, not {command.quantity}")
    _require(len(wish.pledges) < MAX_PLEDGES, f"a wish takes {MAX_PLEDGES} pledges: publish another for more")
    pledge = Pledge(
        key=command.pledge, donor=command.donor, quantity=command.quantity, contact=command.contact, note=command.note
    )
    return msgspec.structs.replace(wish, pledges=(*wish.pledges, pledge))


def _settled(wish: Wish | None, key: str, state: PledgeState) -> Wish:
    found = next((pledge for pledge in wish.pledges if pledge.key == key), None) if wish is not None else None
    if wish is None or found is None:
        raise RuleViolation(f"there is no pledge {key}")
    _require(found.state is PledgeState.PROMISED, f"the pledge {key} is {found.state} already")
    settled = msgspec.structs.replace(found, state=state)
    pledges = tuple(settled if pledge.key == key else pledge for pledge in wish.pledges)
    return msgspec.structs.replace(wish, pledges=pledges)
