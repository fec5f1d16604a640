"""What people do with tickets after intake: citizens by number and code, staff by command.

A thin use case: read or lock the ticket, let the pure rules decide, write the change with what it sets going.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from channels.appeal_codec import tidied
from channels.attachments import named
from channels.message import Inbound, Receipt
from channels.port import Progress
from hotline import commands as c
from hotline import family
from hotline.appeal import Appeal, Attachment
from hotline.decide import Decision, decide
from hotline.effects import Effects, effects_of, effects_of_all
from hotline.errors import IllegalTransition, InvalidInput, NotFound
from hotline.events import SYSTEM, Actor, Role
from hotline.follow_up import written_way
from hotline.ids import TicketNumber, is_ticket_number
from hotline.intake import Intake
from hotline.nuisance import lead_of
from hotline.opening import Change, CityRules
from hotline.permissions import PERMITTED as PERMITTED
from hotline.permissions import as_given, check_permitted, check_units
from hotline.personal import checked
from hotline.ports import Acted, Clock, Decide, Files, Once, Stored, TicketChanges
from hotline.progress import merged_progress, progress_of
from hotline.rating import RATEABLE, commands_of
from hotline.terms import Rating, State, Way
from hotline.ticket import Ticket
from hotline.urging import check_urge
from routing.priority import with_priority

_CITIZEN = Actor(Role.CITIZEN)
_UNKNOWN = "there is no ticket with this number and code"


class Service:
    """Tickets for citizens and staff."""

    def __init__(
        self, *, store: TicketChanges, intake: Intake, rules: Callable[[], CityRules], clock: Clock,
        files: Files | None = None,
    ) -> None:
        """`files` knows what was uploaded; without it no command may carry attachments."""
        self._store, self._intake, self._rules, self._clock, self._files = store, intake, rules, clock, files

    # ── staff ────────────────────────────────────────────────────────────────────────────────────
    async def act(
        self, number: str, command: c.Command, *, actor: Actor, expected_version: int | None = None
    ) -> Ticket:
        """Carry out one command and return the ticket after it.

        Raises:
            NotFound, InvalidInput (a unit that is not in the directory), Forbidden, VersionConflict, IllegalTransition,
            RuleViolation.
        """
        command = await self._prepared(command)
        if isinstance(command, c.Merge | c.Unmerge):
            return await self._change_family(number, command, actor, expected_version)
        return await self._store.change(number, self._decided(command, actor), expected_version=expected_version)

    async def act_once(
        self, number: str, command: c.Command, *, actor: Actor, once: Once, expected_version: int | None = None,
        check: Callable[[Ticket], None] | None = None,
    ) -> Acted:
        """Carry out one command under a key; a repeat of the key changes nothing and gets what the first led to.

        `check` is asked under the ticket's lock, before the rules, and may raise.

        Raises:
            KeyReused: the key came with something else before. The others as `act`.
        """
        decided = self._decided(await self._prepared(command), actor, check)
        return await self._store.change_once(number, decided, once=once, expected_version=expected_version)

    async def _prepared(self, command: c.Command) -> c.Command:
        """Check units against the directory, and take of attachments, but for their names, what was really uploaded."""
        command = tidied(command)
        check_units(command, self._rules().directory)
        attachments: tuple[Attachment, ...] = getattr(command, "attachments", ())
        if not attachments:
            return command
        if self._files is None:
            raise InvalidInput("attachments cannot be taken here")
        found = tuple([named(await self._files.attachment(one.key, self._clock()), one.name) for one in attachments])
        return msgspec.structs.replace(command, attachments=found)

    def _decided(self, command: c.Command, actor: Actor, check: Callable[[Ticket], None] | None = None) -> Decide:
        command = as_given(actor, command)

        def decided(ticket: Ticket) -> tuple[Change, Effects]:
            if check is not None:
                check(ticket)
            # The clock is asked under the ticket's lock: events that wait for each other keep the order of their times.
            check_permitted(actor, command, ticket)
            now, rules = self._clock(), self._rules()
            fitted = with_priority(checked(command, ticket), ticket, rules.priorities)
            return self._chained(ticket, (fitted, *lead_of(fitted)), actor=actor, now=now, rules=rules)

        return decided

    def _changed(self, before: Ticket, decision: Decision, parent: Ticket | None = None) -> tuple[Change, Effects]:
        effects = effects_of(decision.ticket, decision.event, signature=self._rules().signature, parent=parent)
        return Change(before=before, decisions=(decision,)), effects

    async def _change_family(
        self, number: str, command: c.Merge | c.Unmerge, actor: Actor, expected_version: int | None
    ) -> Ticket:
        def decided(child: Ticket, parent: Ticket) -> tuple[tuple[Change, Effects], tuple[Change, Effects]]:
            now, policy = self._clock(), self._rules().policy
            check_permitted(actor, command, child)
            if isinstance(command, c.Merge):
                both = family.merge(child, parent, command, now=now, policy=policy, actor=actor)
            else:
                both = family.unmerge(child, parent, command, now=now, policy=policy, actor=actor)
            return self._changed(child, both.child, parent), self._changed(parent, both.parent)

        parent = command.parent if isinstance(command, c.Merge) else None
        return await self._store.change_family(number, parent, decided, expected_version=expected_version)

    # ── citizens, by number and code ─────────────────────────────────────────────────────────────
    async def _citizens(self, number: str, code: str) -> Stored:
        """Unknown numbers and wrong codes get the same answer: nobody learns which numbers exist."""
        if not is_ticket_number(number):
            raise NotFound(_UNKNOWN)
        try:
            stored = await self._store.read(number)
        except NotFound as error:
            raise NotFound(_UNKNOWN) from error
        if not hmac.compare_digest(stored.code.encode(), code.encode()):
            raise NotFound(_UNKNOWN)
        return stored

    async def progress(self, number: TicketNumber, code: str) -> Progress:
        """Return how the ticket stands. Raises NotFound."""
        return await self._shown(await self._citizens(number, code))

    async def _shown(self, stored: Stored) -> Progress:
        events = await self._store.history(stored.id)
        shown = progress_of(stored.ticket, events, policy=self._rules().policy, now=self._clock())
        if stored.ticket.parent is None:
            return shown
        parent = await self._leading(stored)
        theirs = progress_of(parent.ticket, await self._store.history(parent.id), policy=self._rules().policy,
                             now=self._clock())
        return merged_progress(shown, theirs)

    async def _leading(self, stored: Stored) -> Stored:
        """Return the ticket in which the matter is handled: the parent of a merged one, once it is archived too."""
        parent = stored.ticket.parent
        if parent is None:
            return stored
        return await self._store.read_id(parent)

    async def supplement(
        self, number: TicketNumber, code: str, text: str, attachments: Sequence[Attachment], key: str
    ) -> Receipt:
        """Add to an open ticket; it is triaged like any message, so a new danger raises the verdict.

        A repeat gets its first receipt, also when the ticket is over by then.

        Raises:
            NotFound, IllegalTransition (the ticket is over), KeyReused, Overloaded.
        """
        stored = await self._citizens(number, code)
        if not text.strip() and not attachments:
            raise InvalidInput("a message needs text or an attachment", field="text")
        return await self._intake.submit(Inbound(
            channel=stored.ticket.channel, external_id=f"{number}:{key}", continues=number,
            appeal=Appeal(text=text, attachments=tuple(attachments)), received_at=self._clock(),
        ))

    async def urge(self, number: TicketNumber, code: str, note: str) -> None:
        """催办, of a merged ticket its parent's. Raises NotFound, IllegalTransition (it is over), RateLimited."""
        leading = await self._leading(await self._citizens(number, code))
        known = await self._store.history(leading.id)
        urged = self._decided(c.Urge(note=note), _CITIZEN)

        def decided(ticket: Ticket) -> tuple[Change, Effects]:
            check_urge(ticket, known, self._clock())
            return urged(ticket)

        await self._store.change(leading.ticket.number, decided)

    async def withdraw(self, number: TicketNumber, code: str, reason: str) -> None:
        """撤单; a repeat does nothing. A merged ticket leaves its parent first. Raises NotFound, IllegalTransition."""
        state = (await self._citizens(number, code)).ticket.state
        if state is State.WITHDRAWN:
            return
        try:
            if state is State.MERGED:
                await self.act(number, c.Unmerge(reason="诉求人撤单"), actor=SYSTEM)
            await self.act(number, c.Withdraw(reason=reason), actor=_CITIZEN)
        except IllegalTransition:
            if not await self._is_withdrawn(number, code):  # another request of the same citizen was quicker
                raise

    async def _is_withdrawn(self, number: TicketNumber, code: str) -> bool:
        return (await self._citizens(number, code)).ticket.state is State.WITHDRAWN

    async def rate(self, number: TicketNumber, code: str, rating: Rating, solved: bool | None, note: str) -> None:
        """好差评; a repeat does nothing. Raises NotFound, IllegalTransition before there is an answer."""
        await self._rated(await self._citizens(number, code), rating, solved, note, None)

    # ── citizens, by a signed link ───────────────────────────────────────────────────────────────
    async def standing(self, number: TicketNumber) -> Progress:
        """Return how a ticket stands, for who has come with a link of its own. Raises NotFound."""
        return await self._shown(await self._store.read(number))

    async def rate_linked(self, number: TicketNumber, rating: Rating, solved: bool | None, note: str) -> Progress:
        """好差评 by who came with a link. Raises NotFound, IllegalTransition before there is an answer."""
        stored = await self._store.read(number)
        await self._rated(stored, rating, solved, note, written_way(stored.ticket) or Way.SMS)
        return await self.standing(number)

    async def _rated(
        self, stored: Stored, rating: Rating, solved: bool | None, note: str, way: Way | None
    ) -> None:
        if (await self._leading(stored)).ticket.state not in RATEABLE:
            raise IllegalTransition(f"ticket {stored.ticket.number} has no answer to rate yet")
        def decided(ticket: Ticket) -> tuple[Change, Effects] | None:
            now, rules = self._clock(), self._rules()
            commands = commands_of(ticket, rating, solved, note, way or Way.WEB, rules.policy)
            return self._chained(ticket, commands, actor=_CITIZEN, now=now, rules=rules) if commands else None

        await self._store.change_perhaps(stored.ticket.number, decided)

    def _chained(
        self, before: Ticket, commands: Sequence[c.Command], *, actor: Actor, now: datetime, rules: CityRules
    ) -> tuple[Change, Effects]:
        """Decide one command after the other: the first is the actor's, what follows from it the system's."""
        decisions: list[Decision] = []
        for command in commands:
            ticket = decisions[-1].ticket if decisions else before
            by = SYSTEM if decisions else actor
            decisions.append(decide(ticket, command, now=now, policy=rules.policy, actor=by))
        change = Change(before=before, decisions=tuple(decisions))
        return change, effects_of_all(change.ticket, change.events, signature=rules.signature)
