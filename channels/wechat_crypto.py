"""Signatures and encryption of WeChat official accounts. Pure: random bytes are passed in.

Signature = SHA-1 over the sorted, joined parts. Secure mode: EncodingAESKey (43 characters) + `=` → 32-byte key, AES
in CBC mode with its first 16 bytes as IV, PKCS#7 over blocks of 32 bytes; the plain text is 16 random bytes, the length
of the message (4 bytes, big-endian), the message, the app id. Source: developers.weixin.qq.com, 消息加解密说明.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from hotline.errors import Forbidden, InvalidInput

_BLOCK = 32
_REFUSED = "the message cannot be decrypted; compare EncodingAESKey and app id with the official account's settings"


def signature(*parts: str) -> str:
    """Return the hex SHA-1 over the parts, sorted."""
    return hashlib.sha1("".join(sorted(parts)).encode(errors="surrogatepass")).hexdigest()  # noqa: S324  # nosec B324 – WeChat


def verify(given: str, *parts: str) -> None:
    """Raise Forbidden unless `given` is the signature of the parts; constant time."""
    if not hmac.compare_digest(given.encode(errors="replace"), signature(*parts).encode()):
        raise Forbidden("the signature is wrong; compare the token with the official account's settings")


def decode_key(encoding_aes_key: str) -> bytes:
    """Return the 32-byte key; raises InvalidInput unless 43 characters of base64."""
    try:
        key = base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("EncodingAESKey is not base64") from error
    if len(key) != 32:
        raise InvalidInput("EncodingAESKey has 43 characters")
    return key


def _cipher(key: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypt(message: bytes, *, key: bytes, app_id: str, random: bytes) -> str:
    """Return the base64 cipher text of `message`; `random` is 16 fresh random bytes."""
    plain = random + len(message).to_bytes(4, "big") + message + app_id.encode()
    padding = _BLOCK - len(plain) % _BLOCK
    encryptor = _cipher(key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([padding]) * padding) + encryptor.finalize()).decode()


def decrypt(cipher_text: str, *, key: bytes, app_id: str) -> bytes:
    """Return the message; raises InvalidInput when it was not encrypted with this key for this app id."""
    try:
        data = base64.b64decode(cipher_text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(_REFUSED) from error
    if not data or len(data) % 16:
        raise InvalidInput(_REFUSED)
    decryptor = _cipher(key).decryptor()
    padded = decryptor.update(data) + decryptor.finalize()
    padding = padded[-1]
    if not 1 <= padding <= _BLOCK or padded[-padding:] != bytes([padding]) * padding:
        raise InvalidInput(_REFUSED)
    plain = padded[16:-padding]
    size = int.from_bytes(plain[:4], "big")
    if len(plain) < 4 + size or not hmac.compare_digest(plain[4 + size:], app_id.encode()):
        raise InvalidInput(_REFUSED)
    return plain[4:4 + size]
