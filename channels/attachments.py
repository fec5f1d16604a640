"""What a citizen may attach: the type is told from the content, never from the name. Pure.

Allowed are pictures, sound, short video and PDF; nothing that a browser would run (SVG, HTML), no archives, no office
macros. The name is kept for people only, cleaned; files are stored under their SHA-256.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import unquote

import filetype  # type: ignore[import-untyped]
import msgspec

from channels.appeal_codec import MAX_ATTACHMENTS
from channels.clean import clean
from hotline.appeal import Attachment
from hotline.errors import InvalidInput

MAX_BYTES = 20 * 1024 * 1024
FIELD = "attachments"
MAX_TOTAL_BYTES = 60 * 1024 * 1024
EXTENSIONS: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("jpg", "jpeg"), "image/png": ("png",), "image/webp": ("webp",), "image/gif": ("gif",),
    "application/pdf": ("pdf",), "video/mp4": ("mp4",), "audio/amr": ("amr",), "audio/mpeg": ("mp3",),
    "audio/x-wav": ("wav",), "audio/mp4": ("m4a",), "audio/ogg": ("ogg",),
}
_MP4_SOUND = frozenset({b"M4A ", b"M4B "})
_MP4_VIDEO = frozenset({
    b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"MSNV", b"M4V ", b"dash",
})
_BAD_IN_NAME = re.compile(r'[%<>:"/\\|?*\s]+')


def media_type_of(data: bytes) -> str:
    """Tell the media type from the content; raises InvalidInput (`unsupported_media_type`) when it is not allowed."""
    found = _sniff(data)
    if found not in EXTENSIONS:
        allowed = ", ".join(sorted(extension for group in EXTENSIONS.values() for extension in group))
        detail = f"this kind of file cannot be taken; allowed are {allowed}"
        raise InvalidInput(detail, error_id="unsupported_media_type", field=FIELD)
    return str(found)


def _sniff(data: bytes) -> str:
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "audio/mp4" if brand in _MP4_SOUND else "video/mp4" if brand in _MP4_VIDEO else ""
    if data[:3] == b"ID3" or (len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2):
        return "audio/mpeg"
    kind = filetype.guess(data[:8192])
    return kind.mime if kind is not None else ""


def clean_name(name: str, media_type: str) -> str:
    """Return a harmless file name of at most 100 characters that ends as its content does."""
    base = unicodedata.normalize("NFC", unquote(name)).replace("\\", "/").rsplit("/", 1)[-1]
    base = "".join(c for c in clean(base) if unicodedata.category(c)[0] != "C")
    stem, _, extension = _BAD_IN_NAME.sub("_", base).strip("._ ").rpartition(".")
    endings = EXTENSIONS[media_type]
    if extension.lower() not in endings:
        stem, extension = f"{stem}.{extension}" if stem else extension, endings[0]
    stem = re.sub(r"\.+", "_", stem).strip("_") or "file"
    return f"{stem[:90]}.{extension.lower()}"


def describe(data: bytes, name: str) -> Attachment:
    """Return key, cleaned name, type and size of a file; raises InvalidInput when empty, too large or not allowed."""
    if not data:
        raise InvalidInput("the attachment is empty", field=FIELD)
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"an attachment has at most {MAX_BYTES >> 20} MiB", error_id="too_large", field=FIELD)
    media_type = media_type_of(data)
    key = hashlib.sha256(data).hexdigest()
    return Attachment(key=key, name=clean_name(name, media_type), media_type=media_type, size=len(data))


def named(kept: Attachment, name: str) -> Attachment:
    """Return a file under the name by which whoever attaches it calls it, "" for none.

    Never under another's: many may have sent the same content, and a name can tell who they are.
    """
    return msgspec.structs.replace(kept, name=clean_name(name, kept.media_type))


def check_together(sizes: Sequence[int]) -> None:
    """Raise InvalidInput when an appeal has too many files, or they are too large together."""
    if len(sizes) > MAX_ATTACHMENTS:
        raise InvalidInput(f"at most {MAX_ATTACHMENTS} attachments are allowed", error_id="too_large", field=FIELD)
    if sum(sizes) > MAX_TOTAL_BYTES:
        detail = f"attachments have at most {MAX_TOTAL_BYTES >> 20} MiB together"
        raise InvalidInput(detail, error_id="too_large", field=FIELD)
