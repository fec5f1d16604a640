"""The two ciphers by which personal data may be sealed: AES-256-GCM, or SM4-GCM where an assessment (密评) asks for it.

Both are `cryptography`'s (docs/decisions/0027-sm4.md). SM4: GB/T 32907; its GCM mode: RFC 8998.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher as Stream
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_TAG = 16


class Cipher(StrEnum):
    """Names of the ciphers, as settings and key files say them."""

    AES = "aes-256-gcm"
    SM4 = "sm4-gcm"


class Aead(Protocol):
    """Authenticated encryption under one key; nonces are of 12 bytes, the tag of 16 stands behind the ciphertext."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Encrypt."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Decrypt. Raises cryptography.exceptions.InvalidTag."""
        ...


class Sm4Gcm:
    """SM4-GCM in the shape of `AESGCM`, which `cryptography` has for AES alone."""

    def __init__(self, key: bytes) -> None:
        """`key`: 16 bytes."""
        self._algorithm = algorithms.SM4(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Encrypt."""
        stream = Stream(self._algorithm, modes.GCM(nonce)).encryptor()
        stream.authenticate_additional_data(associated_data or b"")
        return stream.update(data) + stream.finalize() + stream.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Decrypt. Raises cryptography.exceptions.InvalidTag."""
        if len(data) < _TAG:
            raise InvalidTag
        stream = Stream(self._algorithm, modes.GCM(nonce, data[-_TAG:])).decryptor()
        stream.authenticate_additional_data(associated_data or b"")
        return stream.update(data[:-_TAG]) + stream.finalize()


def derived(secret: bytes, purpose: str, length: int = 32) -> bytes:
    """Return a key for one purpose (HKDF-SHA256): no key serves two."""
    return HKDF(SHA256(), length, None, b"hotline " + purpose.encode()).derive(secret)


_MADE: dict[Cipher, Callable[[bytes], Aead]] = {
    Cipher.AES: lambda secret: AESGCM(derived(secret, "seal")),
    Cipher.SM4: lambda secret: Sm4Gcm(derived(secret, "seal sm4", 16)),
}


def made(cipher: Cipher, secret: bytes) -> Aead:
    """Return the cipher of a key of the key file."""
    return _MADE[cipher](secret)
