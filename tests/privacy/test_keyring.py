"""Keys: what they seal only they open, at its own place; files for their owner only."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import keyring
from hotline.errors import InvalidInput, Unavailable
from hotline.keyring import Damaged, KeyFile, KeyRing, is_blind, key_of, new_file, new_key
from hotline.store import sealing
from hotline.store.database import open_pool
from hotline.store.keys import check_keys

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
RING = KeyRing(new_file(NOW))


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_what_is_sealed_opens_at_its_place_only(data: bytes, context: bytes) -> None:
    sealed = RING.seal(data, context=context)
    assert RING.open(sealed, context=context) == data
    assert len(sealed) == len(data) + 33
    assert sealed != RING.seal(data, context=context), "a fresh nonce each time"
    with pytest.raises(Damaged):
        RING.open(sealed, context=context + b"x")


@given(st.binary(max_size=60), st.data())
def test_any_changed_bit_is_noticed(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(RING.seal(data, context=b"c"))
    bit = draw.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        RING.open(bytes(sealed), context=b"c")
    for cut in range(len(sealed)):
        with pytest.raises((Damaged, ValueError)):
            RING.open(bytes(sealed[:cut]) or b"\0", context=b"c")


def test_an_older_key_opens_and_the_newest_seals() -> None:
    old = new_file(NOW)
    both = KeyRing(msgspec.structs.replace(old, keys=(new_key(NOW), *old.keys)))
    sealed = KeyRing(old).seal(b"x", context=b"")
    assert both.open(sealed, context=b"") == b"x"
    assert key_of(sealed) == old.keys[0].id
    assert key_of(both.seal(b"x", context=b"")) == both.active == both.ids[0]
    with pytest.raises(Damaged, match="put it back"):
        KeyRing(old).open(both.seal(b"x", context=b""), context=b"")
    assert both.blind("+8613800138000") == KeyRing(old).blind("+8613800138000"), "rotation leaves look-ups"


def test_a_blind_index_tells_nothing_and_is_the_same_each_time() -> None:
    index = RING.blind("+8613800138000")
    assert (RING.blind("+8613800138000"), RING.blind("")) == (index, "")
    assert is_blind(index)
    assert not is_blind("+8613800138000")
    assert index != KeyRing(new_file(NOW)).blind("+8613800138000")
    assert len({RING.blind(f"+861380013{n:04d}") for n in range(2000)}) == 2000


def test_a_file_is_for_its_owner_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "keys.json"
    made = new_file(NOW)
    keyring.write(path, made)
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyring.read(path) == made
    with pytest.raises(FileExistsError):
        keyring.write(path, new_file(NOW))
    keyring.write(path, new_file(NOW), replace=True)
    assert keyring.read(path) != made
    assert [child.name for child in path.parent.iterdir()] == ["keys.json"]
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600"):
        keyring.read(path)


@pytest.mark.parametrize("text", [
    b"", b"{}", b"[]", b'{"format":1,"index":"","keys":[]}', msgspec.json.encode(
        KeyFile(format=2, index=bytes(32), keys=(new_key(NOW),))), msgspec.json.encode(
        KeyFile(format=1, index=bytes(31), keys=(new_key(NOW),))), msgspec.json.encode(
        KeyFile(format=1, index=bytes(32), keys=(new_key(NOW),) * 2)), msgspec.json.encode(
        KeyFile(format=1, index=bytes(32), keys=(keyring.Key("zz", bytes(32), NOW),))), msgspec.json.encode(
        KeyFile(format=1, index=bytes(32), keys=(keyring.Key("00000000", bytes(16), NOW),))),
])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "keys.json"
    path.touch(0o600)
    path.write_bytes(text)
    with pytest.raises(InvalidInput):
        keyring.read(path)


def test_a_key_file_is_made_once_and_only_where_none_was_named(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(InvalidInput, match="cannot be read"):
        keyring.load(path, named=True, at=NOW)
    rings: list[KeyRing] = []
    threads = [
        threading.Thread(target=lambda: rings.append(keyring.load(path, named=False, at=NOW))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {ring.active for ring in rings} == {keyring.read(path).keys[0].id}
    assert os.listdir(tmp_path) == ["keys.json"]


async def test_a_database_knows_its_keys(database: str, keys: KeyRing) -> None:
    async with await open_pool(database, size=2) as pool:
        await check_keys(pool, keys, NOW)
        await check_keys(pool, keys, NOW)
        rotated = KeyRing(msgspec.structs.replace(keys.file, keys=(new_key(NOW), *keys.file.keys)))
        await check_keys(pool, rotated, NOW)
        with pytest.raises(InvalidInput, match="copy the key file"):
            await check_keys(pool, keys, NOW)
        with pytest.raises(InvalidInput, match="copy the key file"):
            await check_keys(pool, KeyRing(new_file(NOW)), NOW)
        await check_keys(pool, rotated, NOW)


def test_secrets_in_text_columns() -> None:
    sealed = sealing.seal_text("s3cret", context="unit 城管局")
    assert sealing.open_text(sealed, context="unit 城管局") == "s3cret"
    assert sealing.open_text(sealed, context="unit 城管局") == "s3cret"
    assert sealing.is_sealed(sealed)
    assert not any(sealing.is_sealed(text) for text in ("", "路灯不亮", "13800138000", "AQ==", "A" * 64, "Help " * 20))
    assert sealing.seal_text("", context="x") == sealing.open_text("", context="x") == ""
    with pytest.raises(Damaged):
        sealing.open_text(sealed, context="unit 公安局")
    doc = sealing.seal_document({"a": "张三"}, context="c")
    assert "张三" not in doc
    assert sealing.open_document(doc, context="c") == '{"a":"张三"}'.encode()


def test_without_keys_nothing_is_written(keys: KeyRing) -> None:
    sealing._used.clear()
    try:
        with pytest.raises(Unavailable, match="no keys"):
            sealing.blind("+8613800138000")
    finally:
        sealing.use(keys)


