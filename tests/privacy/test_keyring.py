"""Keys: what they seal only they open, at its own place; files for their owner only."""

from __future__ import annotations

import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import keyring
from hotline.ciphers import Cipher, Sm4Gcm
from hotline.errors import InvalidInput, Unavailable
from hotline.keyring import Damaged, KeyFile, KeyRing, is_blind, key_of, new_file, new_key
from hotline.store import sealing
from hotline.store.database import open_pool
from hotline.store.keys import check_keys

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
RING = KeyRing(new_file(NOW))
EITHER = pytest.mark.parametrize("ring", [RING, KeyRing(new_file(NOW, Cipher.SM4))], ids=[*Cipher])


@EITHER
@given(data=st.binary(max_size=200), context=st.binary(max_size=50))
def test_what_is_sealed_opens_at_its_place_only(ring: KeyRing, data: bytes, context: bytes) -> None:
    sealed = ring.seal(data, context=context)
    assert ring.open(sealed, context=context) == data
    assert len(sealed) == len(data) + 33
    assert sealed != ring.seal(data, context=context), "a fresh nonce each time"
    with pytest.raises(Damaged):
        ring.open(sealed, context=context + b"x")


@EITHER
@given(data=st.binary(max_size=60), draw=st.data())
def test_any_changed_bit_is_noticed(ring: KeyRing, data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(ring.seal(data, context=b"c"))
    bit = draw.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Damaged):
        ring.open(bytes(sealed), context=b"c")
    for cut in range(len(sealed)):
        with pytest.raises((Damaged, ValueError)):
            ring.open(bytes(sealed[:cut]) or b"\0", context=b"c")


def test_sm4_gcm_is_that_of_the_standard() -> None:
    """RFC 8998, A.1."""
    cipher = Sm4Gcm(bytes.fromhex("0123456789abcdeffedcba9876543210"))
    nonce, beside = bytes.fromhex("00001234567800000000abcd"), bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    plain = b"".join(bytes([pair]) * 8 for pair in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
    sealed = cipher.encrypt(nonce, plain, beside)
    assert sealed.hex() == (
        "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
        "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"
    )
    assert cipher.decrypt(nonce, sealed, beside) == plain


def test_a_file_from_before_there_was_a_choice_is_of_aes() -> None:
    file = new_file(NOW)
    told = msgspec.json.decode(msgspec.json.encode(file))
    for key in told["keys"]:
        del key["cipher"]
    assert msgspec.json.decode(msgspec.json.encode(told), type=KeyFile) == file


def test_a_house_goes_over_from_one_cipher_to_the_other() -> None:
    old = new_file(NOW)
    both = KeyRing(msgspec.structs.replace(old, keys=(new_key(NOW, Cipher.SM4), *old.keys)))
    assert both.open(KeyRing(old).seal(b"x", context=b""), context=b"") == b"x"
    assert both.open(both.seal(b"x", context=b""), context=b"") == b"x"


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


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_survives_a_crash_before_anything_is_sealed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    """On another machine's disk the database would keep what a key has sealed that is in no file."""
    path, kept = tmp_path / "keys.json", list[tuple[bool, bool]]()
    if replace:
        keyring.write(path, new_file(NOW))
    made, fsync = new_file(NOW), os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (
        kept.append((stat.S_ISDIR(os.fstat(fd).st_mode), path.exists() and keyring.read(path) == made)), fsync(fd)
    ))
    keyring.write(path, made, replace=replace)
    assert kept == [(False, False), (True, True)], "what is in it, then its name"


def test_a_file_that_somebody_else_replaces_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the service, which is not root, could not read the keys that root has rotated."""
    path, given = tmp_path / "keys.json", list[tuple[int, int]]()
    keyring.write(path, new_file(NOW))
    monkeypatch.setattr(os, "fchown", lambda _, user, group: given.append((user, group)))
    monkeypatch.setattr(keyring, "_owner_of", lambda _: (998, 997))
    for user, kept in ((998, []), (1000, []), (0, [(998, 997)])):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        keyring.write(path, new_file(NOW), replace=True)
        assert given == kept


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


