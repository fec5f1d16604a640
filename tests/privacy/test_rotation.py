"""Rotation: every sealed value opens under the new key alone, while the house goes on; breaking off does no harm."""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from hotline import keyring
from hotline.ciphers import Cipher
from hotline.cli import audit as audit_command
from hotline.cli import keys as keys_command
from hotline.errors import InvalidInput
from hotline.keyring import KeyRing, key_of, new_file, new_key
from hotline.store import database as databases
from hotline.store import reseal, sealing
from hotline.store.channels import ChannelStore
from hotline.store.database import open_pool
from hotline.store.keys import begin_rotation, check_keys, replace
from hotline.store.tickets import TicketStore
from hotline.store.transcripts import TranscriptStore
from hotline.store.units import UnitStore
from tests.cities import NOW
from tests.privacy.house import ZHANG, opened
from tests.privacy.test_at_rest import TEXT, lived_in, whole


@pytest.fixture
def ring(tmp_path: Path, keys: KeyRing) -> Iterator[KeyRing]:
    """Keys of the test's own, in a file."""
    keyring.write(tmp_path / "keys.json", new_file(NOW))
    own = keyring.load(tmp_path / "keys.json", named=True, at=NOW)
    sealing.use(own)
    yield own
    sealing.use(keys)


@pytest.fixture
async def pool(database: str, ring: KeyRing) -> AsyncIterator[asyncpg.Pool]:
    async with await open_pool(database, size=4) as found:
        await check_keys(found, ring, NOW)
        yield found


def only(ring: KeyRing) -> KeyRing:
    return KeyRing(msgspec.structs.replace(ring.file, keys=ring.file.keys[:1]))


async def to_look_at(pool: asyncpg.Pool) -> int:
    """Return how many rows there are to look at."""
    return sum([len(await pool.fetch(reseal._SQL[place.page], None, 10_000)) for place in reseal.PLACES])


async def test_everything_opens_with_the_new_key_alone(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    number = await lived_in(pool)
    seen: list[int] = []
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    assert renewed.active != ring.active
    done = await reseal.reseal_all(pool, renewed, seen.append)
    assert done >= 9
    assert sum(seen) == await to_look_at(pool)
    assert await reseal.reseal_all(pool, renewed, seen.append) == 0
    sealing.use(only(renewed))
    stored = await TicketStore(pool, prefix="DG").read(number)
    assert (stored.ticket.appeal.citizen, stored.ticket.appeal.text) == (ZHANG, TEXT)
    for place in reseal.PLACES:
        rows = await pool.fetch(reseal._SQL[place.page], None, 100)
        assert rows, place.page
        for row in rows:
            sealed = reseal._opened(row["value"], place.form)
            assert sealed is not None
            assert only(renewed).open(sealed, context=place.context(row)) is not None
    assert [row.unit for row in await UnitStore(pool).systems(NOW)] == ["城管局"]


async def test_what_was_said_before_it_was_sealed_is_read_and_sealed(
    pool: asyncpg.Pool, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [("session-a", 1), ("session-a", 2), ("session-b", 1), ("session-b", 10)]
    await pool.executemany(
        "INSERT INTO chat_lines (session, seq, key, author, text, at) VALUES ($1, $2, $3, 'citizen', $4, $5)",
        [(session, seq, f"c:{seq}", TEXT if seq < 10 else "", NOW) for session, seq in lines],
    )
    await pool.execute("INSERT INTO calls (id, direction, caller, started_at) VALUES ('c 1', 'in', '', $1)", NOW)
    await pool.executemany(
        "INSERT INTO transcripts (call, n, side, at, text) VALUES ('c 1', $1, 'citizen', $2, $3)",
        [(n, NOW, f"{n}。") for n in (1, 2, 10)],
    )
    channels, transcripts, seen = ChannelStore(pool), TranscriptStore(pool), list[int]()
    monkeypatch.setattr(reseal, "BATCH", 2)
    for sealed_anew in (6, 0):
        said = await channels.chat_since({"session-a": 0, "session-b": 0})
        assert [(line.session, line.seq, line.text) for line in said] == [(*line, TEXT) for line in lines[:3]]
        assert await transcripts.heard("c 1") == (11, "1。2。10。")
        assert await reseal.reseal_all(pool, ring, seen.append) == sealed_anew
    assert sum(seen) == 2 * await to_look_at(pool) == 12
    dump = await whole(pool)
    assert [text for text in ("路灯不亮", "10。") if text in dump] == []


async def test_a_process_with_the_old_keys_reads_the_file_anew(
    pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path
) -> None:
    [receipt] = await opened(pool, ["one"])
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    await reseal.reseal_all(pool, renewed, lambda _: None)
    sealing.use(ring)
    assert key_of(ring.seal(b"", context=b"")) != renewed.active
    assert (await TicketStore(pool, prefix="DG").read(receipt.number)).ticket.appeal.citizen == ZHANG
    assert ring.active == renewed.active, "it seals with the new key too"
    assert ring.refresh() is False


async def test_a_key_that_was_added_before_is_taken(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    later = NOW.replace(year=2027)
    added = new_key(later)
    file = msgspec.structs.replace(ring.file, keys=(*ring.file.keys, added))
    keyring.write(tmp_path / "keys.json", file, replace=True)
    both = KeyRing(file)
    assert both.active == ring.active
    renewed = await begin_rotation(pool, both, tmp_path / "keys.json", later)
    assert renewed.ids == (added.id, ring.active)
    assert keyring.read(tmp_path / "keys.json").keys[0].id == added.id


async def test_of_two_rotations_at_once_no_key_is_lost(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    """Both have read the file before either has changed it: what the first seals must open for ever."""
    path = tmp_path / "keys.json"
    both = KeyRing(ring.file), KeyRing(ring.file)
    first = await begin_rotation(pool, both[0], path, NOW)
    with pytest.raises(InvalidInput, match="run this one again"):
        await begin_rotation(pool, both[1], path, NOW)
    with pytest.raises(InvalidInput, match="run this one again"):
        replace(path, msgspec.structs.replace(ring.file, keys=(*ring.file.keys, new_key(NOW))), before=ring.file)
    assert keyring.read(path) == first.file


def test_a_key_added_by_root_keeps_nobody_from_adding_another(
    tmp_path: Path, ring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock beside the file, too, belongs to whom the file belongs to."""
    path, given = tmp_path / "keys.json", list[tuple[str, int, int]]()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(keyring, "_owner_of", lambda _: (998, 997))
    monkeypatch.setattr(os, "fchown", lambda fd, *owner: given.append((os.readlink(f"/proc/self/fd/{fd}"), *owner)))
    replace(path, msgspec.structs.replace(ring.file, keys=(*ring.file.keys, new_key(NOW))), before=ring.file)
    assert (str(tmp_path / ".keys.json.lock"), 998, 997) in given


async def test_a_broken_off_rotation_goes_on_with_its_key(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    await opened(pool, [f"k{n}" for n in range(6)])
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    await opened(pool, ["after"])
    again = await begin_rotation(pool, renewed, tmp_path / "keys.json", NOW)
    assert again.active == renewed.active
    await reseal.reseal_all(pool, again, lambda _: None)
    await pool.execute("UPDATE sweeps SET at = at - interval '8 days' WHERE name LIKE 'rotation to %'")
    next_one = await begin_rotation(pool, again, tmp_path / "keys.json", NOW)
    assert next_one.active != renewed.active


async def test_what_a_machine_without_the_new_key_file_sealed_meanwhile_is_sealed_by_a_second_run(
    pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path
) -> None:
    await opened(pool, ["before"])
    before = await pool.fetchval("SELECT count(*) FROM ticket_events WHERE sealed <> ''")
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    await reseal.reseal_all(pool, renewed, lambda _: None)
    sealing.use(KeyRing(ring.file))  # of a machine that the file was not copied to yet
    await opened(pool, ["meanwhile"])
    again = await begin_rotation(pool, renewed, tmp_path / "keys.json", NOW)
    seen: list[int] = []
    assert await reseal.reseal_all(pool, again, seen.append) > 0
    sealed = await pool.fetch("SELECT sealed FROM ticket_events WHERE sealed <> ''")
    assert (again.active, {key_of(row["sealed"]) for row in sealed}) == (renewed.active, {renewed.active})
    assert sum(seen) == await to_look_at(pool) - before, "events from before the rotation are done"


async def test_another_cipher_gets_a_key_of_its_own_at_once(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    await reseal.reseal_all(pool, renewed, lambda _: None)
    other = await begin_rotation(pool, renewed, tmp_path / "keys.json", NOW, Cipher.SM4)
    assert (other.active != renewed.active, other.file.keys[0].cipher) == (True, Cipher.SM4)


async def test_what_was_looked_at_before_the_break_is_not_looked_at_again(
    pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(pool, [f"k{n}" for n in range(6)])
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    monkeypatch.setattr(reseal, "BATCH", 4)

    def killed(_: int) -> None:
        raise ConnectionError("killed")

    with pytest.raises(ConnectionError):
        await reseal.reseal_all(pool, renewed, killed)
    again = await begin_rotation(pool, renewed, tmp_path / "keys.json", NOW)
    seen: list[int] = []
    await reseal.reseal_all(pool, again, seen.append)
    assert (again.active, sum(seen)) == (renewed.active, await to_look_at(pool) - 4)
    sealed = await pool.fetch("SELECT sealed FROM ticket_events WHERE sealed <> ''")
    assert {key_of(row["sealed"]) for row in sealed} == {renewed.active}


async def test_commands_that_go_through_large_tables_have_no_time_limit(
    database: str, pool: asyncpg.Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [await pool.fetchval("SHOW statement_timeout")]

    async def opening(dsn: str, **given: Any) -> asyncpg.Pool:
        found = await open_pool(dsn, **given)
        limits.append(await found.fetchval("SHOW statement_timeout"))
        return found

    monkeypatch.setattr(databases, "open_pool", opening)
    monkeypatch.setenv("HOTLINE_DSN", database)
    monkeypatch.setenv("HOTLINE_KEYS_FILE", str(tmp_path / "keys.json"))
    assert await keys_command._rotate(argparse.Namespace()) == 0
    assert await audit_command._verify(None) == 0
    assert limits == ["30s", "0", "0"]


async def test_what_is_erased_meanwhile_stays_erased(pool: asyncpg.Pool, ring: KeyRing, tmp_path: Path) -> None:
    await opened(pool, ["one"])
    renewed = await begin_rotation(pool, ring, tmp_path / "keys.json", NOW)
    [row] = await pool.fetch(reseal._SQL["events_page"], None, 10)
    await pool.execute("UPDATE ticket_events SET sealed = '' WHERE sealed IS NOT NULL")
    done = await pool.execute(reseal._SQL["events_put"], [row["key"]], [row["value"]], [b"new"])
    assert done == "UPDATE 0"
    assert await reseal.reseal_all(pool, renewed, lambda _: None) == 0
