"""The keys of the house: for what is sealed at rest (`hotline.ciphers`), for look-ups, and for the audit chain.

A key file holds several keys. The newest seals, every one opens; `python -m hotline keys rotate` adds a key and seals
everything anew. Keys in use are derived from those in the file by HKDF-SHA256, one for each purpose, so that no key
serves two. All of it is done by `cryptography` and the standard library (docs/decisions/0017-identities-sealed.md).
"""

from __future__ import annotations

import contextlib
import hmac
import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from hotline.ciphers import Cipher, derived, made
from hotline.durable import keep_names
from hotline.errors import UNREADABLE, HotlineError, InvalidInput

FORMAT = 1
_ID, _NONCE, _HEAD = 4, 12, 5
_NAME = re.compile(r"[0-9a-f]{8}")
_MARK = "~"
"""Every blind index begins with it, so that one is never taken for a phone."""


class Damaged(HotlineError):
    """What was sealed cannot be opened: its key is missing, or it was changed."""

    error_id = "sealed_damaged"


class Key(msgspec.Struct, frozen=True):
    """One key: eight hexadecimal digits by which what it sealed names it, 32 random bytes, when made, its use."""

    id: str
    secret: bytes
    made_at: datetime
    cipher: Cipher = Cipher.AES


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds, as JSON: the newest key is first. `index` is the key of look-ups, which rotation leaves."""

    format: int
    index: bytes
    keys: tuple[Key, ...]


def new_key(at: datetime, cipher: Cipher = Cipher.AES) -> Key:
    """Return a new key."""
    return Key(os.urandom(_ID).hex(), os.urandom(32), at, cipher)


def new_file(at: datetime, cipher: Cipher = Cipher.AES) -> KeyFile:
    """Return a new set with one key."""
    return KeyFile(format=FORMAT, index=os.urandom(32), keys=(new_key(at, cipher),))


class KeyRing:
    """Seals, opens, and makes blind indexes. Safe to share; holds no state but its keys."""

    def __init__(self, file: KeyFile, *, path: Path | None = None) -> None:
        """`path`: where the file lies; it is read anew when it has changed (`refresh`)."""
        self._path, self._seen = path, _changed_at(path)
        self._take(file)

    def _take(self, file: KeyFile) -> None:
        self.file = file
        self._ciphers = {bytes.fromhex(key.id): made(key.cipher, key.secret) for key in file.keys}
        self._codes = {key.id: derived(key.secret, "audit") for key in file.keys}
        self._index = HMAC(derived(file.index, "index"), SHA256())  # copied for each use: four times as fast
        self._active = bytes.fromhex(file.keys[0].id)
        self._cipher, self._head = self._ciphers[self._active], bytes([FORMAT]) + self._active

    @property
    def active(self) -> str:
        """Id of the key that seals."""
        return self._active.hex()

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of all keys, the newest first."""
        return tuple(key.id for key in self.file.keys)

    def refresh(self) -> bool:
        """Read the file anew where it has changed; tell whether it had. Raises InvalidInput."""
        seen = _changed_at(self._path)
        if self._path is None or seen == self._seen:
            return False
        self._take(read(self._path))
        self._seen = seen
        return True

    def seal(self, data: bytes, *, context: bytes) -> bytes:
        """Encrypt under the newest key: format, key, nonce, ciphertext with its tag; 33 bytes longer than `data`.

        Args:
            context: must be given again to open; what is sealed cannot be moved to another place.
        """
        nonce = os.urandom(_NONCE)
        return self._head + nonce + self._cipher.encrypt(nonce, data, context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Decrypt. Raises Damaged."""
        cipher = self._ciphers.get(sealed[1:_HEAD])
        if cipher is None and self.refresh():  # somebody rotates the keys just now
            cipher = self._ciphers.get(sealed[1:_HEAD])
        if cipher is None or sealed[0] != FORMAT:
            raise Damaged(f"the key {key_of(sealed) or 'of unknown format'} is not in the key file: put it back there")
        try:
            return cipher.decrypt(sealed[_HEAD:_HEAD + _NONCE], sealed[_HEAD + _NONCE:], context)
        except InvalidTag:
            raise Damaged("what was sealed does not fit its place: it, or what it belongs to, was changed") from None

    def blind(self, text: str) -> str:
        """Return what `text` is looked up by: `~` and 20 characters of HMAC-SHA256; "" for ""."""
        if not text:
            return ""
        return _MARK + urlsafe_b64encode(self.digest(text.encode())[:15]).decode()

    def digest(self, data: bytes) -> bytes:
        """Return HMAC-SHA256 of `data` under the key of look-ups."""
        keyed = self._index.copy()
        keyed.update(data)
        return keyed.finalize()

    def code(self, data: bytes, *, key: str = "") -> bytes | None:
        """Return HMAC-SHA256 of `data` under the audit key of `key`, default the newest; None where it is not here."""
        secret = self._codes.get(key or self.active)
        return None if secret is None else hmac.digest(secret, data, "sha256")


def _changed_at(path: Path | None) -> int:
    try:
        return path.stat().st_mtime_ns if path is not None else 0
    except OSError:
        return 0  # gone, or just being replaced: the keys in memory go on


def key_of(sealed: bytes) -> str:
    """Return the id of the key that sealed this, "" where it is of no known format."""
    return sealed[1:_HEAD].hex() if sealed[:1] == bytes([FORMAT]) else ""


def is_blind(text: str) -> bool:
    """Tell whether a text is a blind index."""
    return len(text) == 21 and text.startswith(_MARK)


# ── the file ─────────────────────────────────────────────────────────────────────────────────────
def read(path: Path) -> KeyFile:
    """Read a key file. Raises InvalidInput: there is none, it is not one, or others may read it."""
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"the key file {path} cannot be read: {error.strerror}", error_id="key_file") from error
    if mode & 0o077:
        raise InvalidInput(f"the key file {path} may be read by others: chmod 600 {path}", error_id="key_file")
    try:
        file = msgspec.json.decode(data, type=KeyFile)
    except UNREADABLE as error:
        raise InvalidInput(f"{path} is no key file: {error}", error_id="key_file") from error
    _check(file.keys, file, path)
    return file


def _check(keys: Sequence[Key], file: KeyFile, path: Path) -> None:
    ids = {key.id for key in keys}
    sound = all(len(key.secret) == 32 and _NAME.fullmatch(key.id) for key in keys)
    if file.format != FORMAT or not keys or len(ids) != len(keys) or len(file.index) != 32 or not sound:
        raise InvalidInput(f"{path} is no key file of format {FORMAT}", error_id="key_file")


def write(path: Path, file: KeyFile, *, replace: bool = False) -> None:
    """Write a key file for its owner only, whole or not at all; one that is replaced keeps its owner.

    Raises:
        FileExistsError: there is one, and it is not to be replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            if replace:
                keep_owner(descriptor, path)
            target.write(msgspec.json.format(msgspec.json.encode(file), indent=1) + b"\n")
            target.flush()
            os.fsync(target.fileno())
        if replace:
            part.replace(path)
        else:
            os.link(part, path)
        keep_names(path.parent)  # before anything is sealed with a key of it: that may outlive this machine's crash
    finally:
        part.unlink(missing_ok=True)


def keep_owner(descriptor: int, path: Path) -> None:
    """Root may rotate keys: the service could not read a file of root's."""
    if os.geteuid() == 0 and (owner := _owner_of(path)) is not None and owner[0] != 0:
        os.fchown(descriptor, *owner)


def _owner_of(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(FileNotFoundError):
        found = path.stat()
        return found.st_uid, found.st_gid
    return None


def load(path: Path, *, named: bool, at: datetime, cipher: Cipher = Cipher.AES) -> KeyRing:
    """Return the key ring of a file; where the file was not `named` in the settings one is made the first time.

    Args:
        cipher: what a key that is made now seals with.

    Raises:
        InvalidInput: there is no such file although it was named, or it is not one.
    """
    if not named and not path.exists():
        with contextlib.suppress(FileExistsError):  # another process was quicker
            write(path, new_file(at, cipher))
    return KeyRing(read(path), path=path)
