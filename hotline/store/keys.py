"""Which keys a database has been sealed with: a process that lacks one of them must not begin to write with others."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec

from hotline import keyring
from hotline.ciphers import Cipher
from hotline.config import Settings
from hotline.errors import InvalidInput
from hotline.keyring import KeyFile, KeyRing
from hotline.store import sealing
from hotline.store.database import statements

_SQL = statements("keys")
_PROOF, _INDEX = b"12345", "index of this database"


def keys_path(settings: Settings) -> Path:
    """Return where the key file is, absolute."""
    named = settings.keys_file
    return Path(named).expanduser().resolve() if named else settings.data_path / "keys.json"


def prepare(settings: Settings, now: datetime) -> KeyRing:
    """Set the keys of this process, making the key file of an installation that has none; keys that are set stay.

    Raises:
        InvalidInput: the key file cannot be used.
    """
    ring = sealing.in_use()
    if ring is None:
        ring = keyring.load(
            keys_path(settings), named=bool(settings.keys_file), at=now, cipher=Cipher(settings.seal_with)
        )
        sealing.use(ring)
    return ring


async def check_keys(pool: asyncpg.Pool, ring: KeyRing, now: datetime) -> None:
    """Note the newest key of this house in the database; the first process decides.

    Raises:
        InvalidInput: the database is sealed with keys, or indexed with one, that the key file does not have.
    """
    await pool.execute(_SQL["note"], ring.active, ring.code(_PROOF), ring.blind(_INDEX), now)
    await check_known(pool, ring)


async def check_known(pool: asyncpg.Pool, ring: KeyRing | None) -> None:
    """Note nothing; `ring`: None where this house has no key file yet.

    Raises:
        InvalidInput: as `check_keys`.
    """
    if not await pool.fetchval(_SQL["kept"]):
        return
    for row in await pool.fetch(_SQL["noted"]):
        if ring is None or ring.code(_PROOF, key=row["id"]) != row["code"] or row["index"] != ring.blind(_INDEX):
            raise InvalidInput(
                f"the database was sealed with key {row['id']}, which the key file of this process does not have: "
                "copy the key file of the house here (setting keys_file, docs/privacy.md)", error_id="key_file",
            )


async def begin_rotation(
    pool: asyncpg.Pool, ring: KeyRing, path: Path, now: datetime, cipher: Cipher = Cipher.AES
) -> KeyRing:
    """Let another key seal from now on, and return the keys: the youngest that only opens, or a new one for `cipher`.

    Where the last rotation was broken off, or ended only days ago, its key goes on: what others have sealed meanwhile
    with the older one is sealed anew with it.

    Raises:
        InvalidInput: another command has changed the key file meanwhile.
    """
    active, *others = ring.file.keys
    waiting = [key for key in others if key.made_at > active.made_at]
    if not waiting and active.cipher == cipher and await unfinished(pool, ring):
        return ring
    chosen = max(waiting, key=lambda key: key.made_at) if waiting else keyring.new_key(now, cipher)
    keys = (chosen, *(key for key in ring.file.keys if key.id != chosen.id))
    file = msgspec.structs.replace(ring.file, keys=keys)
    await pool.execute(_SQL["begin"], rotation_to(chosen.id))  # first: of a key that never seals it means nothing
    replace(path, file, before=ring.file)
    renewed = KeyRing(file, path=path)
    sealing.use(renewed)
    await check_keys(pool, renewed, now)
    return renewed


def replace(path: Path, file: KeyFile, *, before: KeyFile) -> None:
    """Put a key file in the place of `before`, which it was made from.

    Raises:
        InvalidInput: another command has changed the file meanwhile: its key would be lost, and all that it seals.
    """
    with _held(path):
        if keyring.read(path) != before:
            raise InvalidInput(f"another command has just changed {path}: run this one again", error_id="key_file")
        keyring.write(path, file, replace=True)


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let one process at a time change a key file; the lock lies beside it, as the file itself is replaced."""
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        keyring.keep_owner(descriptor, path)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


async def unfinished(pool: asyncpg.Pool, ring: KeyRing) -> bool:
    """Tell whether the rotation to the newest key has not come to its end, or only days ago."""
    return bool(await pool.fetchval(_SQL["unfinished"], rotation_to(ring.active)))


def rotation_to(key: str) -> str:
    """Return the name under which `sweeps` tells how far a rotation has come."""
    return f"rotation to {key}"
