"""The small parts that channels share: cleaning, attachments, limits, problems, wording."""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import filetype  # type: ignore[import-untyped]
import msgspec
import pytest
from aiohttp import web
from hypothesis import example, given
from hypothesis import strategies as st

from channels import attachments, clean, wording
from channels.limits import Guesses, RateLimit, network_of
from channels.port import Progress, Step
from channels.problem import STATUS, TITLES, problem_response, status_of
from hotline import errors
from hotline.errors import HotlineError, InvalidInput, Overloaded, RateLimited, Unavailable
from hotline.ids import DepartmentCode
from hotline.terms import State, Verdict
from tests.channels.conftest import Serve
from tests.channels.contract import RECEIPT

FILES = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + b"\0" * 40, "image/png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    "image/gif": b"GIF89a" + b"\0" * 40, "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8 " + b"\0" * 40,
    "application/pdf": b"%PDF-1.7\n" + b"\0" * 40, "video/mp4": b"\0\0\0\x18ftypisom" + b"\0" * 40,
    "audio/mp4": b"\0\0\0\x18ftypM4A " + b"\0" * 40, "audio/amr": b"#!AMR\n" + b"\x3c" * 40,
    "audio/mpeg": b"ID3\x03" + b"\0" * 40, "audio/x-wav": b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\0" * 40,
    "audio/ogg": b"OggS" + b"\0" * 40,
}
REFUSED = {
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "html": b"<!doctype html><script>1</script>",
    "zip": b"PK\x03\x04" + b"\0" * 40, "exe": b"MZ" + b"\0" * 60, "text": b"hello", "elf": b"\x7fELF" + b"\0" * 40,
    "heic": b"\0\0\0\x18ftypheic" + b"\0" * 40, "rar": b"Rar!\x1a\x07\x00",
    "quicktime": b"\0\0\0\x14ftypqt  " + b"\0" * 9,
    "utf16": "<script>".encode("utf-16"), "zeros": b"\0" * 64,
}


@pytest.mark.parametrize("media_type", FILES)
def test_allowed_files_are_told_by_content(media_type: str) -> None:
    kept = attachments.describe(FILES[media_type], "whatever.exe")
    assert kept.media_type == media_type
    assert kept.name == f"whatever_exe.{attachments.EXTENSIONS[media_type][0]}"
    assert kept.size == len(FILES[media_type])
    assert len(kept.key) == 64


@pytest.mark.parametrize("kind", REFUSED)
def test_other_files_are_refused(kind: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        attachments.describe(REFUSED[kind], f"photo.{kind}")
    assert caught.value.error_id == "unsupported_media_type"


def test_every_allowed_type_is_tried() -> None:
    assert set(FILES) == set(attachments.EXTENSIONS)
    assert filetype.guess(FILES["image/png"]).mime == "image/png"


@given(st.binary(max_size=300))
def test_any_bytes_are_described_or_refused(data: bytes) -> None:
    try:
        kept = attachments.describe(data, "a")
    except InvalidInput:
        return
    assert kept.media_type in attachments.EXTENSIONS


@example("%0\x1f0", "application/pdf")  # what is left after cleaning must not decode to something else
@given(st.text(max_size=200), st.sampled_from(sorted(attachments.EXTENSIONS)))
def test_names_are_harmless(name: str, media_type: str) -> None:
    kept = attachments.clean_name(name, media_type)
    assert not set(kept) & set('/\\<>:"|?*\0\n\r\t ')
    assert not kept.startswith(".")
    assert ".." not in kept
    assert len(kept) <= 100
    assert kept.rsplit(".", 1)[1] in attachments.EXTENSIONS[media_type]
    assert attachments.clean_name(kept, media_type) == kept


@pytest.mark.parametrize(("name", "kept"), [
    ("../../etc/passwd", "passwd.png"), ("C:\\fakepath\\现场 照片.PNG", "现场_照片.png"), ("", "file.png"),
    ("a.php.png", "a_php.png"), ("%2e%2e%2fa.png", "a.png"), ("\u202egnp.exe", "gnp_exe.png"),
    (".png", "file.png"), ("x" * 300, "x" * 90 + ".png"),
])
def test_names(name: str, kept: str) -> None:
    assert attachments.clean_name(name, "image/png") == kept


def test_sizes_and_counts() -> None:
    with pytest.raises(InvalidInput, match="empty"):
        attachments.describe(b"", "a")
    with pytest.raises(InvalidInput, match="20 MiB"):
        attachments.describe(FILES["image/png"] + b"\0" * attachments.MAX_BYTES, "a")
    with pytest.raises(InvalidInput, match="at most 9"):
        attachments.check_together([1] * 10)
    with pytest.raises(InvalidInput, match="together"):
        attachments.check_together([attachments.MAX_BYTES] * 4)
    attachments.check_together([attachments.MAX_BYTES] * 3)


# ── texts and keys ───────────────────────────────────────────────────────────────────────────────
@given(st.text())
def test_cleaned_texts_can_be_stored_and_written_as_xml(text: str) -> None:
    cleaned = clean.clean(text)
    assert clean.clean(cleaned) == cleaned
    cleaned.encode()
    assert not any(ord(c) < 32 and c not in "\t\n" for c in cleaned)


def test_line_ends_become_one() -> None:
    assert clean.clean("\ta\r\nb\rc\x85\n ") == "a\nb\nc"
    assert clean.clean_line(" a\n\tb ") == "a b"


@given(st.text(max_size=300))
def test_keys_are_taken_as_they_are_or_refused(key: str) -> None:
    try:
        assert clean.check_key(key) == key
    except InvalidInput:
        return
    assert key.isascii()
    assert key.isprintable()
    assert 1 <= len(key) <= 200


# ── limits ───────────────────────────────────────────────────────────────────────────────────────
def test_a_bucket_empties_and_refills() -> None:
    limit = RateLimit(3, 60)
    for _ in range(3):
        limit.take("a", 100.0)
    with pytest.raises(RateLimited) as caught:
        limit.take("a", 100.0)
    assert caught.value.retry_after == 21
    limit.take("b", 100.0)
    limit.take("a", 100.0 + caught.value.retry_after)
    with pytest.raises(RateLimited):
        limit.take("a", 90.0)  # a clock that goes back refills nothing


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab")), max_size=80))
def test_never_more_than_burst_plus_refill(steps: list[tuple[float, str]]) -> None:
    limit, now, taken = RateLimit(5, 60), 0.0, 0
    for wait, key in steps:
        now += wait
        try:
            limit.take(key, now)
        except RateLimited:
            continue
        taken += key == "a"
    assert taken <= 5 + now / 12 + 1e-6


def test_buckets_are_bounded() -> None:
    limit = RateLimit(1, 60, keys=10)
    for n in range(1000):
        limit.take(str(n), 0.0)
    assert len(limit._buckets) == 10


@pytest.mark.parametrize(("address", "counted"), [
    ("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("fe80::1%eth0", "fe80::/64"),
    ("::ffff:203.0.113.7", "203.0.113.7"), ("oUser-9_a", "oUser-9_a"), ("", ""),
])
def test_an_address_is_counted_by_what_one_customer_has(address: str, counted: str) -> None:
    assert network_of(address) == counted


def _tries(guesses: Guesses, sender: str, number: str, now: float) -> bool:
    """Return whether a wrong guess was let try."""
    try:
        guesses.check(sender, number, now)
    except RateLimited:
        return False
    guesses.wrong(sender, number, now)
    return True


def test_a_few_outsiders_cannot_shut_a_ticket_to_its_owner() -> None:
    guesses = Guesses()
    tried = sum(_tries(guesses, f"203.0.113.{n % 5}", "DG1", 60.0 * n) for n in range(30 * 1440))
    assert tried < 1000
    guesses.check("198.51.100.1", "DG1", 30 * 86_400.0)  # the owner, who has not been wrong
    assert _tries(guesses, "198.51.100.1", "DG1", 30 * 86_400.0)  # and once mistypes
    guesses.check("198.51.100.1", "DG1", 30 * 86_400.0)


@pytest.mark.parametrize("sender", [
    "2001:db8:0:{}::/64".format, "10.{}".format,
], ids=["one /48", "ever new ones"])
def test_a_code_cannot_be_found_by_ever_new_senders(sender: Callable[[str], str]) -> None:
    guesses, days = Guesses(), 30
    tried = sum(_tries(guesses, sender(f"{n:x}"), "DG1", n * 43.2) for n in range(days * 2000))
    assert tried <= 2000, "of 900,000 codes"


def test_who_has_a_whole_block_cannot_try_a_few_codes_of_very_many_tickets() -> None:
    guesses = Guesses()
    tried = sum(_tries(guesses, f"2001:db8:0:{n % 65_536:x}::/64", f"DG{n}", n / 100) for n in range(60_000))
    assert tried <= 400, "in ten minutes"
    guesses.check("2001:db8:1:1::/64", "DG1", 600.0)  # nobody else is refused for it
    assert sum(_tries(guesses, f"10.{n}", f"DG{n}", 600.0) for n in range(1000)) == 1000


def test_the_documentation_tells_the_limits_of_guessing_as_they_are() -> None:
    """In one place, to which the others link."""
    told = " ".join(Path("docs/identity.md").read_text(encoding="utf-8").partition("## Rate limits")[2].split())
    guesses = Guesses()
    of_sender = sum(_tries(guesses, "a", f"DG{n}", 0.0) for n in range(100))
    of_ticket = sum(_tries(guesses, f"10.{n}", "DG1", 0.0) for n in range(2000))
    of_block = sum(_tries(guesses, f"2001:db8:0:{n:x}::/64", f"DG{n}", 0.0) for n in range(1000))
    assert f"{of_sender} of a sender in ten minutes, {of_block} of an IPv6 /48" in told
    assert f"after {of_ticket + 1:,} in a month everybody is" in told  # one of them was the first sender's
    assert _until_refused(others=16, own=3) == 1, "the twentieth for the ticket"
    assert _until_refused(others=17, own=3) == 0
    assert _until_refused(others=17, own=2) == 1
    assert "after 20 for a ticket in a day those who were wrong there three times are refused" in told
    assert "wrong tries" not in Path("docs/channels.md").read_text(encoding="utf-8")


def _until_refused(*, others: int, own: int) -> int:
    """Return how many more wrong guesses somebody has at a ticket where they, and others, were wrong so often."""
    guesses = Guesses()
    for sender in ["a"] * own + [f"10.{n}" for n in range(others)]:
        assert _tries(guesses, sender, "DG1", 0.0)
    return sum(_tries(guesses, "a", "DG1", 0.0) for _ in range(10))


def test_what_is_guessed_at_once_is_paid_for() -> None:
    guesses = Guesses()
    for _ in range(100):  # checked before any of them was counted
        guesses.check("a", "DG1", 0.0)
    for _ in range(100):
        guesses.wrong("a", "DG1", 0.0)
    with pytest.raises(RateLimited) as caught:
        guesses.check("a", "DG2", 0.0)
    assert caught.value.retry_after > 2400


# ── problems ─────────────────────────────────────────────────────────────────────────────────────
def _every_error() -> list[type[HotlineError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, HotlineError)]


@pytest.mark.parametrize("kind", _every_error())
def test_every_error_has_a_status_and_a_title(kind: type[HotlineError]) -> None:
    response = problem_response(kind("mend this"), instance="/x")
    assert isinstance(response.body, bytes)
    problem = msgspec.json.decode(response.body)
    assert response.content_type == "application/problem+json"
    assert (problem["error_id"], problem["status"]) == (kind.error_id, STATUS[kind.error_id])
    assert (problem["title"], problem["detail"]) == (TITLES[kind.error_id], "mend this")
    assert ("Retry-After" in response.headers) == (kind in (RateLimited, Overloaded, Unavailable))
    assert response.status < 500 or kind.error_id in ("internal", "overloaded", "unavailable")


def test_tables_agree() -> None:
    assert set(STATUS) == set(TITLES)
    assert status_of("wechat_outside_window") == 400


async def test_unexpected_errors_are_500_with_a_reference_and_no_inside(serve: Serve) -> None:
    async def broken(request: web.Request) -> web.Response:
        raise KeyError("password=hunter2")

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/elsewhere")

    async def late(request: web.Request) -> web.Response:
        raise web.HTTPServiceUnavailable(headers={"Retry-After": "9"})

    client = await serve([web.get("/broken", broken), web.get("/moved", moved), web.get("/late", late)])
    answer = await client.get("/broken")
    problem: dict[str, Any] = await answer.json()
    assert (answer.status, problem["error_id"], problem["instance"]) == (500, "internal", "/broken")
    assert len(problem["reference"]) == 16
    assert "hunter2" not in str(problem)
    assert (await client.get("/moved", allow_redirects=False)).status == 302
    assert (await client.get("/late")).headers["Retry-After"] == "9"


# ── wording ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("verdict", "urgent"), [
    (Verdict.EMERGENCY, True), (Verdict.UNCLEAR, True), (Verdict.NON_EMERGENCY, False),
])
def test_danger_is_answered_with_the_numbers_to_call(verdict: Verdict, urgent: bool) -> None:
    text = wording.receipt_text(msgspec.structs.replace(RECEIPT, verdict=verdict))
    assert ("立即拨打110" in text) is urgent


def test_an_undecided_receipt_promises_nothing() -> None:
    text = wording.receipt_text(msgspec.structs.replace(RECEIPT, department="", category="", expected_by=None))
    assert "预计" not in text
    assert "人工确认" in text


def test_times_are_those_of_the_citys_clock() -> None:
    at = datetime(2026, 11, 20, 17, 5, tzinfo=UTC)
    text = wording.receipt_text(msgspec.structs.replace(RECEIPT, expected_by=at))
    assert "2026-11-21 01:05" in text
    progress = Progress(
        number=RECEIPT.number, status=State.HANDLING, status_label="办理中", verdict=Verdict.NON_EMERGENCY, category="",
        department=DepartmentCode(""), expected_by=None, steps=(Step(at=at, title="已签收"),))
    assert "2026-11-21 01:05 已签收" in wording.progress_text(progress)


@given(st.text(max_size=100), st.integers(3, 200))
def test_cutting_keeps_whole_characters(text: str, limit: int) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    cut = wording.cut(text, limit)
    assert len(cut.encode()) <= limit
    assert cut == text or cut.endswith("…")


def test_wav_and_webp_are_not_confused() -> None:
    assert attachments.media_type_of(b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + b"\0" * 20) == "audio/x-wav"
