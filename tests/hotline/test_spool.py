"""The spool: what was promised is submitted until it is in, and told once."""

from __future__ import annotations

from pathlib import Path

from channels.message import Inbound, Receipt
from hotline.errors import HotlineError, KeyReused, RateLimited, Unavailable
from hotline.spool import Spool
from hotline.store.uploads import write_durably
from tests.hotline.test_intake import inbound

RECEIPT = Receipt(
    number="DG1", code="000000", status="received", verdict="non_emergency", category="", department="",  # type: ignore[arg-type]
    expected_by=None,
)


class Hotline:
    """Takes submissions, or fails as told."""

    def __init__(self, *outcomes: HotlineError | None) -> None:
        self.outcomes, self.taken, self.told = list(outcomes), list[Inbound](), list[str]()

    async def submit(self, message: Inbound) -> Receipt:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.taken.append(message)
        return RECEIPT

    async def tell(self, message: Inbound, receipt: Receipt) -> None:
        self.told.append(message.external_id)


def spool(folder: Path, hotline: Hotline) -> Spool:
    return Spool(folder, write=write_durably, submit=hotline.submit, tell=hotline.tell)


async def test_what_is_put_is_submitted_told_and_gone(tmp_path: Path) -> None:
    hotline, message = Hotline(), inbound("路灯不亮")
    kept = spool(tmp_path / "spool", hotline)
    assert kept.waiting() == []
    kept.put(message)
    kept.put(message)
    await kept.drain()
    assert (hotline.taken, hotline.told, kept.waiting()) == ([message], [message.external_id], [])


async def test_it_waits_while_the_database_is_away_and_survives_a_restart(tmp_path: Path) -> None:
    hotline, message = Hotline(Unavailable("away"), None), inbound()
    spool(tmp_path, hotline).put(message)
    await spool(tmp_path, hotline).drain()
    assert hotline.taken == []
    await spool(tmp_path, hotline).drain()
    assert hotline.taken == [message]


async def test_what_containment_refuses_is_kept_as_evidence_and_not_here(tmp_path: Path) -> None:
    kept = spool(tmp_path, hotline := Hotline(RateLimited("one too many")))
    kept.put(inbound())
    await kept.drain()
    assert (kept.count(), hotline.taken, hotline.told) == ((0, 0), [], [])


async def test_what_is_refused_or_damaged_is_set_aside_not_lost(tmp_path: Path) -> None:
    hotline = Hotline(KeyReused("other content"))
    kept = spool(tmp_path, hotline)
    kept.put(inbound())
    await kept.drain()
    for name, damaged in enumerate((b'{"channel":', b'{"channel":"\xff"}', b'{"appeal":' * 100_000)):
        (tmp_path / f"{name}.json").write_bytes(damaged)
    await kept.drain()
    assert kept.waiting() == []
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".refused", *[".unreadable"] * 3]
    assert kept.count() == (0, 4)
