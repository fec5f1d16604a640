"""What `check` says of identities: the keys that seal citizens', and how staff prove theirs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hotline.config import Settings
from hotline.errors import Unavailable

if TYPE_CHECKING:
    from hotline.keyring import KeyFile

_OLD = 365
"""Days after which the key that seals is to be replaced."""


async def keys(chosen: Settings) -> str:
    """Keys live outside the database and its backup: without them the identities are lost."""
    from hotline import keyring
    from hotline.core import now
    from hotline.store.keys import keys_path

    path = keys_path(chosen)
    file = keyring.read(path) if chosen.keys_file or path.exists() else None
    await _known(chosen, file)
    if file is None:
        return f"warn: no key file yet; the first start makes {path}: keep a copy apart from the backup"
    newest = file.keys[0]
    if newest.cipher != chosen.seal_with:
        return f"warn: seal_with is {chosen.seal_with}, but {newest.cipher} seals: run `python -m hotline keys rotate`"
    age = (now() - newest.made_at).days
    if age > _OLD:
        return f"warn: the key that seals is {age} days old: run `python -m hotline keys rotate`"
    if not chosen.keys_file:
        return f"warn: {path} lies beside the data: keep a copy apart, or set keys_file"
    return f"{path}, {len(file.keys)} keys, the newest {age} days old, {newest.cipher}"


async def _known(chosen: Settings, file: KeyFile | None) -> None:
    """Raise InvalidInput where `serve` would not start: the database was sealed with keys that are not there."""
    from hotline.core import database_dsn
    from hotline.keyring import KeyRing
    from hotline.store.database import open_pool
    from hotline.store.keys import check_known

    with contextlib.suppress(Unavailable):  # the check of the database tells it
        async with await open_pool(database_dsn(chosen), size=1) as pool:
            await check_known(pool, KeyRing(file) if file is not None else None)


async def staff(chosen: Settings) -> str:
    """Two factors of all staff: 等保三级, domain.md section 8."""
    from agent_ui.staff import StaffRole
    from hotline.config_text import listed

    without = [role for role in StaffRole if role not in listed(chosen.second_factor)]
    if without:
        return f"warn: no second factor is asked of {', '.join(without)} (second_factor); 等保三级 asks it of all staff"
    if chosen.oidc_issuer and not chosen.oidc_acr:
        return "warn: any log-in at the identity provider counts as two factors: name those that are (oidc_acr)"
    return "everybody logs in with a second factor"
