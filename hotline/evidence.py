"""A case as a zip for the police: a manifest with digests, the contacts as a table, tickets with all events, files."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from hotline.appeal import Attachment
from hotline.nuisance import Act, Case

MAX_FILES = 200 * 1024 * 1024
"""Bytes of files in one bundle; what does not fit is named in the manifest with its digest, to be asked for."""
_COLUMNS = ("at", "channel", "outcome", "number", "text")
_EXPLAINED = (
    "本证据包由12345热线系统生成。manifest.json 列出每个文件的SHA-256;\n"
    "contacts.csv 为来访记录(时间、渠道、处置、工单、内容),含已接听但未形成工单的来电;\n"
    "tickets/ 为各工单的完整事件记录; files/ 为来访人提交的附件; recordings/ 为来电录音(文件名为接听时间,UTC);\n"
    "marks.json 为标记、解除和取证的审计记录。\n"
)


def bundle(case: Case, act: Act, *, path_of: Callable[[str], Path], tape_of: Callable[[str], Path]) -> bytes:
    """Return the zip. `path_of` tells where a file lies, `tape_of` a recording; one that is gone is named as such."""
    parts: dict[str, bytes] = {
        "README.txt": _EXPLAINED.encode(), "contacts.csv": _contacts(case),
        "marks.json": _json({"marks": case.marks, "acts": [*case.acts, act]}),
    }
    parts |= {f"tickets/{number}.json": _json(events) for number, events in case.tickets.items()}
    stored = [("files", file, path_of) for file in case.files]
    files, left_out = _files([*stored, *(("recordings", tape, tape_of) for tape in case.recordings)])
    parts |= files
    manifest = {
        "contact": case.contact, "made_at": act.at, "made_by": act.actor, "reason": act.detail,
        "contacts": len(case.contacts), "tickets": sorted(case.tickets), "left_out": left_out,
        "files": [
            {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in parts.items()
        ],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {"manifest.json": _json(manifest), **parts}.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def _contacts(case: Case) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for one in case.contacts:
        # A cell that a spreadsheet would take for a formula is written as text.
        said = f"'{one.text}" if one.text.startswith(("=", "+", "-", "@")) else one.text
        writer.writerow([one.at.isoformat(), one.channel, one.outcome, one.number, said])
    return text.getvalue().encode("utf-8-sig")


def _files(
    stored: Sequence[tuple[str, Attachment, Callable[[str], Path]]],
) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    found: dict[str, bytes] = {}
    left_out = []
    room = MAX_FILES
    for folder, file, path_of in stored:
        path = path_of(file.key) if _is_stored(file) else None
        if path is None or not path.exists() or file.size > room:
            left_out.append(msgspec.to_builtins(file))
            continue
        data = path.read_bytes()
        room -= len(data)
        found[f"{folder}/{file.key[:12]}-{file.name.replace('/', '_')}"] = data
    return found, left_out


def _is_stored(file: Attachment) -> bool:
    return len(file.key) == 64 and all(c in "0123456789abcdef" for c in file.key)
