"""`keys`: show the keys that seal personal data, add one, seal everything anew."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

from hotline.cli.acts import Act
from hotline.cli.base import command, settings


def add(commands: Any) -> None:
    """Add the command."""
    parser = command(
        commands, "keys", show, summary="keys that seal personal data (个人信息加密): show, add, rotate",
        example="python -m hotline keys rotate",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    command(
        actions, "show", show, summary="show file, ids and age of the keys, never the keys themselves",
        example="python -m hotline keys show",
    )
    command(
        actions, "add", more, summary="add a key that only opens for now: copy the file to every machine, then rotate",
        example="python -m hotline keys add", act=Act(),
    )
    command(
        actions, "rotate", rotate,
        summary="seal with a new key from now on (the one added last, or one made now), and everything anew with it; "
                "run again within 7 days, it goes on with that key",
        example="python -m hotline keys rotate", act=Act(),
    )
    parser.set_defaults(run=show)


def show(given: argparse.Namespace) -> int:
    """Tell which keys there are."""
    from hotline.core import now
    from hotline.store.keys import keys_path, prepare

    chosen = settings()
    ring = prepare(chosen, now())
    sys.stdout.write(f"{keys_path(chosen)}\n")
    for key in ring.file.keys:
        use = "seals" if key.id == ring.active else "opens"
        age = (now() - key.made_at).days
        sys.stdout.write(f"{key.id}  {use}  {key.cipher}  made {key.made_at:%Y-%m-%d}, {age} days ago\n")
    return 0


def more(given: argparse.Namespace) -> int:
    """Add a key that opens."""
    import msgspec

    from hotline import keyring
    from hotline.ciphers import Cipher
    from hotline.core import now
    from hotline.store.keys import keys_path, prepare, replace

    chosen = settings()
    file = prepare(chosen, now()).file
    made = keyring.new_key(now(), Cipher(chosen.seal_with))
    given.outcome = {"key": made.id}
    replace(keys_path(chosen), msgspec.structs.replace(file, keys=(*file.keys, made)), before=file)
    sys.stdout.write(f"{made.id} added to {keys_path(chosen)}: copy the file to every machine, then `keys rotate`\n")
    return 0


def rotate(given: argparse.Namespace) -> int:
    """Seal everything anew."""
    return asyncio.run(_rotate(given))


async def _rotate(given: argparse.Namespace) -> int:
    from tqdm import tqdm

    from hotline.ciphers import Cipher
    from hotline.core import database_dsn, now
    from hotline.store import reseal
    from hotline.store.database import open_pool
    from hotline.store.keys import begin_rotation, check_keys, keys_path, prepare

    chosen, at = settings(), now()
    ring = prepare(chosen, at)
    async with await open_pool(database_dsn(chosen), size=3, patient=True) as pool:
        await check_keys(pool, ring, at)
        ring = await begin_rotation(pool, ring, keys_path(chosen), at, Cipher(chosen.seal_with))
        with tqdm(desc="keys", unit=" rows", total=await reseal.about(pool), disable=None) as bar:
            done = await reseal.reseal_all(pool, ring, bar.update)
    given.outcome = {"key": ring.active, "sealed_anew": str(done)}
    sys.stdout.write(f"{done} values sealed anew with {ring.active}; older keys stay in the file for the audit chain\n")
    return 0
