"""Wiring of the core: intake, service and stores over one pool, shared by every role of a process."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import asyncpg
import structlog

from channels import phone_number, wording
from channels.message import Inbound, Receipt
from hotline import figures
from hotline.appeal import Category, Evidence
from hotline.callbacks import Callbacks
from hotline.city import City
from hotline.config import Settings
from hotline.containment import Containment, NuisanceDesk
from hotline.days import with_days
from hotline.directories import Directories, DirectoryDesk
from hotline.durable import write_durably
from hotline.errors import Unavailable
from hotline.evidence import bundle
from hotline.front import Front
from hotline.handoff import DeskUpdates
from hotline.intake import Intake, Limits
from hotline.library import Library
from hotline.neighbour_desk import NeighbourDesk
from hotline.neighbours import neighbours_of, with_neighbours
from hotline.opening import CityRules
from hotline.operation import CHANGED, watch
from hotline.ports import Clock, TriageBatch
from hotline.rating_links import RatingLinks
from hotline.reach import Contact, addressed
from hotline.service import Service
from hotline.spool import Spool
from hotline.store import search
from hotline.store.acts import forget_acts
from hotline.store.audit import AuditStore
from hotline.store.calendars import CalendarStore
from hotline.store.callbacks import CallbackStore
from hotline.store.channels import ChannelStore
from hotline.store.database import open_pool
from hotline.store.directories import DirectoryStore
from hotline.store.embedded import find_embedded, start_embedded
from hotline.store.hosts import Hosts
from hotline.store.incidents import JobStore
from hotline.store.keys import check_keys, prepare
from hotline.store.knowledge import KnowledgeStore
from hotline.store.links import link_key
from hotline.store.neighbours import NeighbourStore
from hotline.store.nuisance import NuisanceStore
from hotline.store.queues import QueueStore
from hotline.store.recordings import RecordingStore
from hotline.store.relatives import RelativesStore
from hotline.store.telephone import TelephoneStore
from hotline.store.tickets import TicketStore
from hotline.store.units import UnitStore
from hotline.store.uploads import Uploads

log = structlog.get_logger(__name__)
WISHES = "微心愿"
"""The second-level category of micro-wishes."""
_OF_VERDICT = 0.8
"""Share of the time for a verdict that triage may take; the rest is for writing the ticket."""


def now() -> datetime:
    """Return the present moment; the only clock of the production wiring."""
    return datetime.now(UTC)


def new_code() -> str:
    """Return a citizen's query code: six digits that cannot be guessed from others."""
    return f"{int.from_bytes(os.urandom(8)) % 1_000_000:06d}"  # 64 bits: the bias of the remainder is below 1e-13


def database_dsn(settings: Settings, *, make: bool = False) -> str:
    """Return the DSN to use: where none is set that of the embedded server, found and started, or made (`make`)."""
    if settings.dsn:
        return settings.dsn
    return start_embedded(settings.data_path) if make else find_embedded(settings.data_path)


class Core:
    """The core over one pool, shared by every role of a process."""

    def __init__(
        self, *, settings: Settings, city: City, dsn: str, pool: asyncpg.Pool, triage: TriageBatch,
        shared_ports: bool = False, clock: Clock = now, hosts: Hosts | None = None, replica: asyncpg.Pool | None = None,
    ) -> None:
        self.replica = replica
        self.hosts = hosts or Hosts(dsn)
        self.settings, self.city, self.dsn, self.pool, self.clock = settings, city, dsn, pool, clock
        self.policy = city.policy
        phone_number.live_in(city.area_code)
        self.shared_ports, self.triage = shared_ports, triage
        self.explain: Callable[[str, str, Sequence[str]], tuple[Evidence, ...]] | None = None  # `serve` sets it
        self.neighbours = neighbours_of(settings.neighbours)
        directory_rows = DirectoryStore(pool)
        self.directories = Directories(directory_rows, first=city.directories, clock=clock)
        self.directory_desk = DirectoryDesk(
            directory_rows, self.directories, categories=[(c.l1, c.l2) for c in city.categories], clock=clock
        )
        wishes = (Category(l1=c.l1, l2=c.l2, confidence=1.0) for c in city.categories if c.l2 == WISHES)
        self._wish = next(wishes, None)
        self.store = TicketStore(pool, prefix=city.prefix)
        self.rows, self.audit = JobStore(pool), AuditStore(pool, changed=CHANGED.inc)
        nuisance = NuisanceStore(pool)
        self.containment = Containment(nuisance, clock=clock)
        self.intake = Intake(
            store=self.store, triage=triage, rules=self.rules, clock=clock, new_code=new_code,
            containment=self.containment,
            limits=Limits(max_waiting=settings.max_waiting, triage_timeout=_OF_VERDICT * city.emergency.verdict_within),
        )
        self.records = ChannelStore(pool)
        self.uploads = Uploads(pool, files=settings.data_path / "attachments")
        self.service = Service(store=self.store, intake=self.intake, rules=self.rules, clock=clock, files=self.uploads)
        self.units, self.relatives = UnitStore(pool), RelativesStore(pool)
        tapes = RecordingStore(pool, files=settings.data_path / "recordings", days=settings.recording_days)
        packed = partial(bundle, path_of=self.uploads.path_of, tape_of=tapes.path_of)
        self.nuisance_desk = NuisanceDesk(nuisance, self.containment, clock=clock, bundle=packed)
        self.library = Library(KnowledgeStore(pool), words=search.words, clock=clock)
        self._meet_neighbours()
        self.desk_updates = DeskUpdates(rows=self.rows, service=self.service)
        spooled = settings.data_path / "spool"
        self.spool = Spool(spooled, write=write_durably, submit=self.intake.submit, tell=self._tell)
        figures.WAITING.set_function(lambda: self.intake.waiting)
        self.callbacks = Callbacks(ledger=CallbackStore(pool), rules=self.rules, clock=clock)
        self.queues = QueueStore(pool)
        self.links = RatingLinks(key=partial(link_key, pool), base=settings.public_base, clock=clock)
        self.front = Front(
            intake=self.intake, service=self.service, records=self.records, uploads=self.uploads, spool=self.spool,
            clock=clock, links=self.links,
        )

    def _meet_neighbours(self) -> None:
        self.parcels = NeighbourStore(self.pool)
        self.neighbour_desk = NeighbourDesk(
            held=self.parcels, tickets=self.store, service=self.service, submit=self.intake.submit,
            neighbours=self.neighbours, clock=self.clock,
        )

    async def restore_jobs(self) -> None:
        """Make sure that what has waited for a while has a job, and that one which a mistake ended runs again."""
        before = self.clock() - timedelta(seconds=30)
        await self.rows.restore_jobs(before)
        await self.parcels.restore_parcels(before)
        await self.units.restore_jobs(before)

    async def forget(self) -> None:
        """Delete keys that no repeat can meet any more, uploads that nobody claimed, and what became of old jobs."""
        await self.records.forget(self.clock())
        await self.units.forget(self.clock())
        await forget_acts(self.pool, self.clock() - timedelta(days=30))
        await TelephoneStore(self.pool).forget(self.clock() - timedelta(days=1))
        await self.uploads.sweep(self.clock())
        await self.rows.forget(self.clock())

    async def chain_audit(self) -> None:
        """Chain what the audit and the event log have grown by."""
        await self.audit.link_all(self.clock(), busy=lambda: self.intake.waiting > 0)

    async def read_days(self) -> None:
        """Read the days off that an administrator has set."""
        days = await CalendarStore(self.pool).days()
        self.policy = with_days(self.city.policy, {one.day: one.off for one in days})

    async def keep_directories(self) -> None:
        """Keep every version of the directory in the database: old tickets refer to theirs by version."""
        await self.directories.seed(self.city.directories)

    def rules(self) -> CityRules:
        """Return the city's rules of today: a new version of the directory begins at midnight of its day."""
        return CityRules(
            signature=f"{self.city.name}12345", prefix=self.city.prefix, policy=self.policy,
            directory=with_neighbours(self.directories.in_force(), self.neighbours), wish=self._wish,
            priorities=self.city.priorities,
        )

    async def read_for_neighbours(self) -> None:
        """Make parcels of what neighbours have to be told."""
        if self.neighbours:
            await self.parcels.read_all(self.neighbours, self.clock())

    async def _tell(self, inbound: Inbound, receipt: Receipt) -> None:
        """Owe the citizen the answer to a delivery that was spooled."""
        contact = Contact(number=receipt.number, channel=inbound.channel, citizen=inbound.appeal.citizen)
        told = addressed(contact, wording.receipt_text(receipt), key=f"answer-{inbound.external_id}")
        if told is not None:
            await self.rows.owe(told, self.clock())


@asynccontextmanager
async def open_core(
    settings: Settings, *, triage: TriageBatch, city: City, dsn: str, shared_ports: bool = False
) -> AsyncIterator[Core]:
    """Open the pool and the intake; leaving drains what waits. Raises Unavailable without a database.

    Args:
        shared_ports: other processes listen on the same ports (`--workers`).
    """
    async with AsyncExitStack() as stack:
        hosts, ring = Hosts(dsn), prepare(settings, now())
        pool = await stack.enter_async_context(await open_pool(dsn, size=settings.database_connections, hosts=hosts))
        await check_keys(pool, ring, now())
        watch(pool)
        core = Core(
            settings=settings, city=city, dsn=dsn, pool=pool, triage=triage, shared_ports=shared_ports,
            hosts=hosts, replica=await _replica(stack, settings),
        )
        await stack.enter_async_context(core.intake)
        yield core


async def _replica(stack: AsyncExitStack, settings: Settings) -> asyncpg.Pool | None:
    """Return a pool for reports, None where there is no replica or it is away just now: the primary answers then."""
    if not settings.reports_dsn:
        return None
    try:
        return await stack.enter_async_context(await open_pool(settings.reports_dsn, size=3))
    except Unavailable as error:
        log.warning("replica_away", error=error.detail)
        return None
