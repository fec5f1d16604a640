"""Every codec against arbitrary bytes and spoilt real ones: it decodes, or refuses with an error of ours, and in time.

A target takes bytes. What it raises must be an error of `hotline.errors` (or the one its documentation names); what it
returns must go through JSON. hypothesis chooses the seeds, `payload_of` makes cases of them (ten times as fast as
strategies): bytes, recorded payloads cut and spliced, JSON, XML and forms of odd values under the names that recorded
ones use, and deep nesting.
"""

from __future__ import annotations

import io
import json
import random
import re
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning
from tqdm import tqdm

from agent_ui import protocol
from channels import (
    appeal_codec,
    attachments,
    chat_codec,
    form_codec,
    neighbour_codec,
    open311_codec,
    phone_codec,
    police_codec,
    portal_codec,
    rating_page,
    ticket_codec,
    wechat_codec,
    wishes_codec,
)
from channels.phone_number import normalize_phone
from hotline.city import load_city
from hotline.config import load
from hotline.errors import HotlineError
from hotline.ids import StaffName, is_ticket_number
from routing import directory_file, staffing_file
from tests.channels.contract import FIXTURES, NOW
from tests.channels.test_contract import CITY
from tests.fuzz.files import FILES
from tests.fuzz.lines import LINES

Target = Callable[[bytes], object]
NUMBER = "DG2026112140000017"


def _open311(data: bytes) -> object:
    return open311_codec.decode_request(dict(form_codec.decode_urlencoded(data)), CITY)


def _filter(data: bytes) -> object:
    return open311_codec.decode_filter(dict(form_codec.decode_urlencoded(data)), CITY, NOW)


def _wechat(data: bytes) -> object:
    return wechat_codec.decode(wechat_codec.read_xml(data), now=NOW).open_id


def _attachment(data: bytes) -> object:
    return attachments.describe(data, data.decode("utf-8", "replace"))


def _text(parse: Callable[[str], object]) -> Target:
    return lambda data: parse(data.decode("utf-8", "surrogateescape"))


def _file_of(data: bytes) -> object:
    """A workbook with these bytes for its first sheet: packed well, and made badly."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr("xl/workbook.xml", data)
        book.writestr("[Content_Types].xml", data)
    return len(directory_file.read(packed.getvalue()).rules)


@cache
def _book() -> dict[str, bytes]:
    directory = load_city(Path("cities/441900")).directory
    with zipfile.ZipFile(io.BytesIO(directory_file.write_xlsx(msgspec.structs.replace(directory, rules={})))) as book:
        return {name: book.read(name) for name in book.namelist()}


def _workbook(data: bytes) -> object:
    """A workbook of ours with these bytes in the middle of one of its parts."""
    parts, packed, place = _book(), io.BytesIO(), sum(data)
    spoilt = sorted(parts)[place % len(parts)]
    with zipfile.ZipFile(packed, "w") as book:
        for name, content in parts.items():
            at = place % (len(content) + 1)
            book.writestr(name, content[:at] + data + content[at + place % 9:] if name == spoilt else content)
    return len(directory_file.read(packed.getvalue()).rules)


def _settings(data: bytes) -> object:
    """Variables of the environment with these values."""
    words = data.decode("utf-8", "replace").replace("\0", "").split("|")
    names = ("DSN", "POLICE_URL", "APP_TOKENS", "NEIGHBOURS", "WECHAT_MENU", "WECHAT_TEMPLATE", "WEBHOOK_NETWORKS")
    return load({f"HOTLINE_{name}": word for name, word in zip(names, words, strict=False)}, file=Path("there is none"))


TARGETS: dict[str, Target] = {
    "appeal": lambda data: appeal_codec.appeal_of(appeal_codec.decode_appeal(data)),
    "form": lambda data: form_codec.decode_fields(form_codec.decode_urlencoded(data)),
    "chat": chat_codec.decode_frame,
    "message": ticket_codec.decode_message,
    "rating": ticket_codec.decode_rating,
    "withdrawal": ticket_codec.decode_withdrawal, "urge": ticket_codec.decode_urge,
    "rating page": lambda data: rating_page.decode(data, form=True),
    "number": _text(ticket_codec.number_of),
    "open311": _open311,
    "open311 filter": _filter,
    "call appeal": lambda data: phone_codec.decode_call_appeal(data, agent=StaffName("a01"), now=NOW)[0],
    "police transfer": lambda data: police_codec.decode_transfer(data, key="k", now=NOW),
    "police update": lambda data: police_codec.decode_update(data, key="k"),
    "wechat": _wechat,
    "hand-over": lambda data: neighbour_codec.inbound_of(
        neighbour_codec.decode_hand_over(data), code="440100", now=NOW),
    "neighbour's update": neighbour_codec.decode_update,
    "portal": lambda data: portal_codec.decode(data, portal_codec.PortalAppeal),
    "wish": lambda data: wishes_codec.decode_wish(data, now=NOW),
    "pledge": lambda data: wishes_codec.decode_pledge(data, NUMBER),
    "console": protocol.decode,
    "console id": protocol.id_of,
    "directory csv": lambda data: len(directory_file.read(data).rules),
    "directory xlsx": _file_of,
    "directory workbook": _workbook,
    "staffing csv": _text(staffing_file.read_slots),
    "attachment": _attachment,
    "telephone": _text(normalize_phone),
    "ticket number": _text(is_ticket_number),
    "settings": _settings,
    **LINES, **FILES,
}


def _recorded() -> list[bytes]:
    return [path.read_bytes() for path in sorted(FIXTURES.rglob("*")) if path.is_file()]


RECORDED = _recorded()
NAMES = sorted(set(re.findall(r'"(\w+)"\s*:|<(\w+)>', " ".join(one.decode("utf-8", "replace") for one in RECORDED))))
FIELDS = [json_name or xml_name for json_name, xml_name in NAMES]
CONSOLE = [kind.__struct_config__.tag for kind in get_args(protocol.ConsoleFrame)]
ODD: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 2**70, 1e308, "", "\0", "\u202e", "0" * 400, "东莞" * 200, "路灯不亮", "-",
    "1e999",
    "2026-02-30T00:00:00Z", "9999-12-31T23:59:59+14:00", "0000-00-00", "+8613800138000", NUMBER, "\ud7ff", "../..",
    [], {},
]
WHOLE = [b"", b"null", b"\xff\xfe", b"{}", b"[]", b"<xml></xml>", b"PK\x03\x04", b"%", b"\x00" * 40]
BATCH = 25


def _value(rng: random.Random, depth: int = 0) -> Any:
    match rng.randrange(9 if depth < 3 else 6):
        case 0:
            return rng.randint(-(10 ** rng.randrange(25)), 10 ** rng.randrange(25))
        case 1:
            return "".join(chr(rng.randrange(1, 0xD7FF)) for _ in range(rng.randrange(12)))
        case 2:
            return rng.uniform(-1e9, 1e9)
        case 6:
            return [_value(rng, depth + 1) for _ in range(rng.randrange(4))]
        case 7:
            return _object(rng, depth + 1)
        case _:
            return rng.choice(ODD)


def _object(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    made = {rng.choice(FIELDS): _value(rng, depth) for _ in range(rng.randrange(7))}
    if rng.random() < 0.5:
        made["type"] = rng.choice([*CONSOLE, "message", "hello", "urge", "dispatch", "x"])
    return made


def _spoilt(rng: random.Random) -> bytes:
    """Return a recorded payload with pieces cut out, doubled, or replaced by bytes or pieces of another."""
    payload, other = rng.choice(RECORDED), rng.choice(RECORDED)
    for _ in range(rng.randrange(1, 4)):
        start = rng.randrange(len(payload) + 1)
        end, place = min(len(payload), start + rng.randrange(40)), rng.randrange(len(other) + 1)
        piece = rng.choice([rng.randbytes(rng.randrange(8)), other[place:place + 20], payload[start:end] * 3, b""])
        payload = payload[:start] + piece + payload[end:]
    return payload


def payload_of(rng: random.Random) -> bytes:
    """Return one case."""
    match rng.randrange(10):
        case 0:
            return rng.randbytes(rng.randrange(200))
        case 1 | 2 | 3 | 4:
            return _spoilt(rng)
        case 5 | 6:
            return json.dumps(_object(rng)).encode()
        case 7:
            inner = "".join(f"<{name}>{value}</{name}>" for name, value in _object(rng).items())
            return f"<xml>{inner}</xml>".encode("utf-8", "replace")
        case 8:
            return "&".join(f"{name}={value}" for name, value in _object(rng).items()).encode("utf-8", "replace")
        case _:
            deep = rng.choice([10, 300, 3000])
            return rng.choice([*WHOLE, b"[" * deep, b"[" * deep + b"]" * deep, b'{"text":' * deep, b"<a>" * deep])


def fuzz_codec(name: str, *, cases: int, step: Callable[[], object] = lambda: None) -> None:
    """Try a codec `cases` times; raises AssertionError with the payload that it did not meet as it should."""
    target = TARGETS[name]

    @settings(max_examples=-(-cases // BATCH), deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.generate])
    @given(st.integers(0, 2**63))
    def once(case: int) -> None:
        rng = random.Random(case)
        for _ in range(BATCH):
            step()
            payload = payload_of(rng)
            try:
                msgspec.json.encode(target(payload))
            except HotlineError as refused:
                assert refused.detail, payload  # noqa: PT017
            except Exception as error:
                raise AssertionError(f"{payload[:400]!r} raised {type(error).__name__}: {str(error)[:300]}") from error

    once()


def fuzz_codecs(*, cases: int, quiet: bool = False) -> dict[str, str]:
    """Try every codec; return what was wrong by name."""
    wrong: dict[str, str] = {}
    bar = tqdm(total=cases * len(TARGETS), desc="codecs", unit=" cases", disable=quiet)
    with bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=HypothesisWarning)
        for name in TARGETS:
            try:
                fuzz_codec(name, cases=cases, step=bar.update)
            except AssertionError as error:
                wrong[name] = str(error)
    return wrong
