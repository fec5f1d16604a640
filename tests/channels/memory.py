"""The second implementation of `ChannelPort`: all in memory, honest about repeats, with switches for faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from channels.attachments import describe, named
from channels.message import Inbound, Receipt
from channels.port import ChatLine, ChatStanding, Progress, PublicTicket, RequestFilter, Step
from hotline.appeal import Attachment, Category
from hotline.errors import IllegalTransition, KeyReused, NotFound
from hotline.ids import DepartmentCode, TicketNumber, ticket_number
from hotline.terms import Channel, Kind, Rating, State, Verdict, label

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


class MemoryPort:
    """Takes what channels bring. `delay` and `failure` make it slow or failing; `clock` is moved by tests."""

    def __init__(self) -> None:
        self.clock = NOW
        self.delay = 0.0
        self.failure: Exception | None = None
        self.inbox: dict[tuple[Channel, str], tuple[bytes, Receipt]] = {}
        self.inbounds: list[Inbound] = []
        self.spooled: list[Inbound] = []
        self.files: dict[str, Attachment] = {}
        self.contents: dict[str, bytes] = {}
        self.tickets: dict[str, PublicTicket] = {}
        self.codes: dict[str, str] = {}
        self.supplements: dict[tuple[str, str], tuple[str, tuple[Attachment, ...]]] = {}
        self.urges: list[tuple[str, str]] = []
        self.ratings: list[tuple[str, Rating, bool | None, str]] = []
        self.seen: dict[str, datetime] = {}
        self.nonces: dict[str, str] = {}
        self.lines: dict[str, list[ChatLine]] = {}
        self.standings: dict[str, ChatStanding] = {}

    def now(self) -> datetime:
        return self.clock

    async def submit(self, inbound: Inbound) -> Receipt:
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure
        key = (inbound.channel, inbound.external_id)
        if key in self.inbox:
            digest, receipt = self.inbox[key]
            if digest != inbound.content_hash():
                raise KeyReused("the idempotency key was used for other content")
            return msgspec.structs.replace(receipt, repeat=True)
        self.inbounds.append(inbound)
        receipt = self._open(inbound)
        self.inbox[key] = (inbound.content_hash(), receipt)
        return receipt

    def _open(self, inbound: Inbound) -> Receipt:
        number = ticket_number("DG", self.clock.date(), inbound.channel, len(self.tickets))
        code = f"{len(self.tickets) * 7919 % 1_000_000:06d}"
        due = self.clock + timedelta(days=14)
        public = inbound.appeal.kind is not Kind.REPORT and not inbound.appeal.confidential
        self.codes[number] = code
        if public:
            self.tickets[number] = PublicTicket(
                number=number, status=State.PENDING_SIGN, closed=False, category=Category(l1="03", l2="路灯"),
                department=DepartmentCode("城市管理和综合执法局"), town="南城", requested_at=self.clock,
                updated_at=self.clock, expected_by=due,
            )
        return Receipt(
            number=number, code=code, status=State.PENDING_SIGN, verdict=Verdict.NON_EMERGENCY, category="路灯",
            department="城市管理和综合执法局", expected_by=due,
        )

    def spool(self, inbound: Inbound) -> None:
        self.spooled.append(inbound)

    async def find(self, channel: Channel, external_id: str) -> Receipt | None:
        return self.inbox[channel, external_id][1] if (channel, external_id) in self.inbox else None

    async def first_seen(self, key: str, *, within: timedelta) -> datetime:
        if key not in self.seen or self.clock - self.seen[key] > within:
            self.seen[key] = self.clock
        return self.seen[key]

    async def store_attachment(self, data: bytes, name: str) -> Attachment:
        kept = describe(data, name)
        self.files[kept.key], self.contents[kept.key] = kept, data
        return kept

    async def attachment(self, key: str) -> Attachment:
        if key not in self.files:
            raise NotFound("no such attachment")
        return named(self.files[key], "")

    def _check(self, number: TicketNumber, code: str) -> None:
        if self.codes.get(number) != code:
            raise NotFound("no ticket with this number and code")

    async def progress(self, number: TicketNumber, code: str) -> Progress:
        await asyncio.sleep(self.delay)
        if self.failure is not None:
            raise self.failure
        self._check(number, code)
        ticket = self.tickets[number]
        return Progress(
            number=number, status=ticket.status, status_label=label(ticket.status), verdict=Verdict.NON_EMERGENCY,
            category="路灯", department=ticket.department, expected_by=ticket.expected_by,
            steps=(Step(at=ticket.requested_at, title="已受理"),), public_reply=ticket.public_reply,
        )

    async def supplement(
        self, number: TicketNumber, code: str, text: str, attachments: Sequence[Attachment], key: str
    ) -> Receipt:
        self._check(number, code)
        repeat = (number, key) in self.supplements
        self.supplements.setdefault((number, key), (text, tuple(attachments)))
        return Receipt(
            number=number, code=code, status=State.PENDING_SIGN, verdict=Verdict.NON_EMERGENCY, category="路灯",
            department="城市管理和综合执法局", expected_by=None, repeat=repeat, continued=True,
        )

    def set_state(self, number: str, state: State, *, reply: str = "") -> None:
        """Move a ticket, as the core would."""
        closed = state in (State.CLOSED, State.WITHDRAWN)
        self.tickets[number] = msgspec.structs.replace(
            self.tickets[number], status=state, closed=closed, public_reply=reply
        )

    async def urge(self, number: TicketNumber, code: str, note: str) -> None:
        self._check(number, code)
        if self.tickets[number].status is State.CLOSED:
            raise IllegalTransition("the ticket is closed")
        self.urges.append((number, note))

    async def withdraw(self, number: TicketNumber, code: str, reason: str) -> None:
        self._check(number, code)
        if self.tickets[number].status is State.CLOSED:
            raise IllegalTransition("the ticket is closed")
        self.set_state(number, State.WITHDRAWN)

    async def rate(self, number: TicketNumber, code: str, rating: Rating, solved: bool | None, note: str) -> None:
        self._check(number, code)
        self.ratings.append((number, rating, solved, note))

    async def requests(self, wanted: RequestFilter) -> list[PublicTicket]:
        found = [t for t in self.tickets.values() if not wanted.numbers or t.number in wanted.numbers]
        if wanted.closed is not None:
            found = [t for t in found if t.closed is wanted.closed]
        return found[wanted.offset:wanted.offset + wanted.limit]

    async def chat_add(self, session: str, key: str, author: str, text: str) -> ChatLine:
        lines = self.lines.setdefault(session, [])
        for line in lines:
            if line.key == key:
                return line
        line = ChatLine(session=session, seq=len(lines) + 1, key=key, author=author, text=text, at=self.clock)
        lines.append(line)
        return line

    async def chat_since(self, sessions: dict[str, int]) -> list[ChatLine]:
        return [line for session, seq in sessions.items() for line in self.lines.get(session, []) if line.seq > seq]

    async def chat_standings(self, sessions: Sequence[str]) -> list[ChatStanding]:
        return [self.standings[session] for session in sessions if session in self.standings]

    async def take_nonce(self, nonce: str, holder: str) -> bool:
        return self.nonces.setdefault(nonce, holder) == holder
