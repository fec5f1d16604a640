"""What is kept of whoever is a nuisance: contacts, calls, tickets – looked at masked, bundled for the police."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from agent_ui.gate import LOOKING_UP
from agent_ui.routes import ROUTES
from channels.attachments import describe
from hotline import commands as c
from hotline.appeal import Attachment, Citizen
from hotline.errors import Forbidden, InvalidInput, NotFound, RateLimited, RuleViolation
from hotline.events import SYSTEM
from hotline.service import Service as Acts
from hotline.store.call_cards import CallCards
from hotline.store.transcripts import TranscriptStore
from routing.call_news import CallWords
from routing.calls import Role
from tests.cities import RULES
from tests.hotline.nuisance_house import LI, OTHER, PHONE, WANG, house


async def test_calls_that_leave_no_ticket_are_contacts_and_evidence(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.call(answered=False)
        await home.call(direction="out")
        await home.call(phone=OTHER)
        first, second = await home.call(), await home.call()
        with pytest.raises(RuleViolation, match="2 contacts"):
            await home.desk.mark(WANG, PHONE, "辱骂话务员")
        await CallCards(home.pool).link(second, (await home.send("其实有事")).number)
        with pytest.raises(RuleViolation, match="2 contacts"):  # the call and its ticket are one
            await home.desk.mark(WANG, PHONE, "辱骂话务员")
        third = await home.call()
        for id_ in (first, second, third):
            await home.tapes.keep(id_, f"RIFF {id_}".encode(), now=home.now)
        said = CallWords(call=first, n=1, side=Role.CITIZEN, text="骂人的话")
        await TranscriptStore(home.pool).add(said, now=home.now)
        await home.desk.mark(WANG, PHONE, "辱骂话务员")
        case, act = await home.desk.evidence(WANG, PHONE, "移送公安")
        told = [(one.channel, one.text) for one in case.contacts]
        assert told == [("call", "骂人的话"), ("app", "其实有事"), ("call", "")]
        with zipfile.ZipFile(io.BytesIO(home.desk.pack(case, act))) as archive:
            tapes = [archive.read(name) for name in archive.namelist() if name.startswith("recordings/")]
        assert tapes == [f"RIFF {id_}".encode() for id_ in (first, second, third)]


# ── evidence ─────────────────────────────────────────────────────────────────────────────────────
async def test_the_bundle_holds_contacts_recordings_and_times(database: str, tmp_path: Path) -> None:
    recording = b"RIFF\x24\x00\x00\x00WAVEfmt " + b"\x00" * 20
    async with house(database, tmp_path) as home:
        described = describe(recording, "录音.wav")
        await home.files.keep_attachment(described, recording, home.now)
        gone = Attachment(key="0" * 64, name="gone.wav", media_type="audio/wav", size=1)
        await home.send("=HYPERLINK(1)", files=(described, gone))
        await home.marked()
        for n in range(11):
            try:
                await home.send(f"又来了{n}")
            except RateLimited:
                assert n == 10
        case, act = await home.desk.evidence(WANG, PHONE, "移送公安")
        packed = home.desk.pack(case, act)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            for file in manifest["files"]:
                assert hashlib.sha256(archive.read(file["name"])).hexdigest() == file["sha256"]
            assert {file["name"] for file in manifest["files"]} == set(archive.namelist()) - {"manifest.json"}
            rows = list(csv.DictReader(io.StringIO(archive.read("contacts.csv").decode("utf-8-sig"))))
            [kept] = [name for name in archive.namelist() if name.startswith("files/")]
            assert archive.read(kept) == recording
        assert (manifest["contact"], manifest["made_by"], manifest["reason"]) == (PHONE, "wang", "移送公安")
        assert [one["name"] for one in manifest["left_out"]] == ["gone.wav"]
        assert len(rows) == manifest["contacts"] == 15
        assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
        assert rows[0]["text"] == "'=HYPERLINK(1)"
        assert (rows[-1]["outcome"], rows[-1]["number"]) == ("refused", "")
        assert all(row["number"] for row in rows[:-1])
        acts = await home.pool.fetch("SELECT act FROM nuisance_acts ORDER BY id")
        assert [row["act"] for row in acts] == ["marked", "bundled"]
        for wrong in (OTHER, "nobody"):
            with pytest.raises(NotFound):
                await home.desk.evidence(WANG, wrong, "x")


async def test_a_case_is_looked_at_masked_by_a_ticket_before_a_mark_and_by_the_mark_after(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        await home.send("我是王小明,打我13800138000", name="王小明")
        call = await home.call()
        await home.tapes.keep(call, b"RIFF", now=home.now)
        said = CallWords(call=call, n=1, side=Role.CITIZEN, text="我叫王小明,骂人的话")
        await TranscriptStore(home.pool).add(said, now=home.now)
        number = (await home.send("骂人")).number
        before = await home.desk.case(WANG, number=number)
        assert (before.contact, before.total, before.lately, before.least) == ("+86138****8000", 3, 3, 3)
        newest_first = ["骂人", "我叫王*,骂人的话", "我是王*,打我138****8000"]
        assert [one.text for one in before.contacts] == newest_first
        assert [(one.id, one.recorded) for one in before.calls] == [(call, True)]
        assert (before.tickets[0], before.marks) == (number, ())
        mark = await home.desk.mark(WANG, "", "骂人", number=number)
        assert home.containment.mark_of(PHONE) is not None, "whom the ticket is about"
        _, act = await home.desk.evidence(WANG, "", "移送公安", id_=mark.id)
        assert act.contact == PHONE
        after = await home.desk.case(WANG, id_=mark.id)
        assert [act.act for act in after.acts] == ["bundled", "marked"]
        assert after.marks == (mark,)
        shown = msgspec.json.encode(after).decode()
        assert [told for told in (PHONE, "13800138000", "小明") if told in shown] == []


async def test_a_name_that_was_put_right_is_hidden_and_makes_no_message_two(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.marked()
        number = (await home.send("我是王小明", name="王小明")).number
        service = Acts(store=home.store, intake=home.intake, rules=lambda: RULES, clock=lambda: home.now)
        for name in ("王小", "王晓明"):
            await service.act(number, c.Correct(citizen=Citizen(name=name)), actor=SYSTEM)
        case = await home.desk.case(WANG, number=number)
        assert [one.text for one in case.contacts] == ["我是王**", "骂人2", "骂人1", "骂人0"]
        said = CallWords(call=await home.call(), n=1, side=Role.CITIZEN, text="王小明、王小和王晓明")
        await TranscriptStore(home.pool).add(said, now=home.now)
        assert (await home.desk.case(WANG, number=number)).contacts[0].text == "王*、王*和王*"


async def test_what_was_answered_to_a_unit_is_evidence_too(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        sent = await home.send("路灯不亮")
        service = Acts(store=home.store, intake=home.intake, rules=lambda: RULES, clock=lambda: home.now)
        await service.act(sent.number, c.Sign(), actor=SYSTEM)
        await service.act(sent.number, c.AskInfo(question="几号灯杆?"), actor=SYSTEM)
        home.now += timedelta(minutes=1)
        await service.supplement(sent.number, sent.code, "骂人", (), "k")
        await service.act(sent.number, c.AskInfo(question="几号灯杆?"), actor=SYSTEM)
        await service.act(sent.number, c.Resume(text="联系不上,先行办理"), actor=SYSTEM)  # the unit's words
        case = await home.desk.case(WANG, number=sent.number)
        assert [one.text for one in case.contacts] == ["骂人", "路灯不亮"]


async def test_a_case_of_nobody_is_not_found_and_only_supervisors_look(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        nobody = (await home.send(phone="")).number
        for named in ({"number": nobody}, {"number": "DG1"}, {"id_": 1}):
            with pytest.raises(NotFound):
                await home.desk.case(WANG, **named)
        with pytest.raises(Forbidden):
            await home.desk.case(LI, number=nobody)
        with pytest.raises(InvalidInput):
            await home.desk.mark(WANG, PHONE, "x", number=nobody)


def test_who_looks_at_a_case_is_kept_in_the_audit() -> None:
    assert {name for name in ROUTES if "/nuisance/" in name and name.endswith("/case")} <= LOOKING_UP
