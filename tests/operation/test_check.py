"""`check` and `serve` name variables that nobody reads; `check` tells what an installation lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_ui import page
from hotline import keyring
from hotline.cli.check import CHECKS
from hotline.config import Settings, misspelt
from hotline.errors import HotlineError, InvalidInput
from hotline.keyring import KeyRing
from hotline.store.database import open_pool
from hotline.store.keys import check_keys
from tests.operation.deployed import OPERATIONS


@pytest.mark.parametrize(("name", "told"), [
    ("HOTLINE_HTTP_PROT", "HOTLINE_HTTP_PROT is no setting and is not read: did you mean HOTLINE_HTTP_PORT?"),
    ("HOTLINE_POLICEURL", "HOTLINE_POLICEURL is no setting and is not read: did you mean HOTLINE_POLICE_URL?"),
    ("HOTLINE_ZZZZZZ", "HOTLINE_ZZZZZZ is no setting and is not read"),
])
def test_a_variable_that_is_no_setting_is_named(name: str, told: str) -> None:
    assert misspelt([name, "PATH", "HOTLINE_CONFIG", "HOTLINE_DSN", "hotline_dsn"]) == [told]


def test_settings_and_other_variables_are_fine() -> None:
    assert misspelt(["HOTLINE_HTTP_PORT", "HOTLINE_CONFIG", "HOME"]) == []


async def test_pages_that_are_not_built_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "DIST", tmp_path)
    told = await CHECKS["pages"](Settings())
    assert told.startswith("warn: not built: /, /console")
    assert "make pages" in told
    (tmp_path / "index.html").touch()
    assert await CHECKS["pages"](Settings()) == f"built, in {tmp_path}"


@pytest.mark.parametrize("heading", ["Install", "Upgrade"])
def test_every_way_to_an_installation_builds_the_pages(heading: str) -> None:
    assert "make pages" in OPERATIONS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


NOW = datetime(2026, 11, 23, tzinfo=UTC)


async def test_keys_that_the_database_was_not_sealed_with_are_told(database: str, tmp_path: Path) -> None:
    """`serve` would refuse to start with them."""
    files = {name: tmp_path / name for name in ("ours.json", "others.json")}
    for path in files.values():
        keyring.write(path, keyring.new_file(NOW))
    async with await open_pool(database) as pool:
        await check_keys(pool, KeyRing(keyring.read(files["ours.json"])), NOW)
    told = await CHECKS["keys"](Settings(dsn=database, keys_file=str(files["ours.json"])))
    assert "1 keys" in told
    for wrong in (Settings(dsn=database, keys_file=str(files["others.json"])),
                  Settings(dsn=database, data_dir=str(tmp_path / "new"))):
        with pytest.raises(InvalidInput, match="sealed with key"):
            await CHECKS["keys"](wrong)
    assert not (tmp_path / "new").exists()


async def test_a_shadow_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """`serve` would not start without it."""
    with pytest.raises(HotlineError, match=str(tmp_path)):
        await CHECKS["models"](Settings(shadow_dir=str(tmp_path)))


async def test_a_replica_that_is_away_is_told(database: str) -> None:
    away = "postgresql://hotline:geheim@127.0.0.1:1/hotline"
    told = await CHECKS["database"](Settings(dsn=database, reports_dsn=away))
    assert told.startswith("warn: PostgreSQL")
    assert "reports_dsn: the database 127.0.0.1:1/hotline cannot be used" in told
    assert "up to date" in await CHECKS["database"](Settings(dsn=database, reports_dsn=database))


@pytest.mark.parametrize(("proxies", "mark"), [(0, "warn: public_url"), (1, "citizens reach us at https://12345")])
async def test_a_proxy_that_nobody_trusts_is_told(proxies: int, mark: str) -> None:
    told = await CHECKS["addresses"](Settings(public_url="https://12345.gov.cn/", proxies=proxies))
    assert told.startswith(mark)
