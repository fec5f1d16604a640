"""What the log may hold of an event: nothing that tells who somebody is, and nothing lost. Pure."""

from __future__ import annotations

from typing import Any, NewType, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Entity, Place, Triage
from hotline.events import Actor, Receive, Role, TicketEvent
from hotline.ids import DepartmentCode, TicketNumber
from hotline.privacy import CODES, Private, hidden, joined, split, starred
from hotline.store.rows import event_from, sealed_event
from hotline.terms import Channel, Kind, State
from tests.cities import NOW

NAMES = st.sampled_from(["", "张三", "欧阳娜娜", "report", "A", "李"])
PHONES = st.from_regex(r"\+861[3-9][0-9]{9}", fullmatch=True) | st.just("")
NUMBERS = st.from_regex(
    r"1[3-9][0-9]{9}|\+86 1[3-9][0-9] [0-9]{4} [0-9]{4}|0769-2[0-9]{7}|[1-9][0-9]{16}[0-9X]|62[0-9]{14,17}",
    fullmatch=True,
)
WORDS = st.text("路灯坏了,在南城 Abc2026-1。张三李欧阳娜", max_size=20)
TEXTS = st.lists(WORDS | NUMBERS | NAMES, max_size=5).map(" ".join)


@pytest.mark.parametrize(("text", "shown"), [
    ("电话13800138000。", "电话138****8000。"), ("+8613800138000", "+86138****8000"),
    ("138 0013 8000", "138 **** 8000"), ("138-0013-8000", "138-****-8000"), ("8613800138000", "861380***8000"),
    ("身份证441900199001011234", "身份证441900********1234"), ("44190019900101123X!", "441900********123X!"),
    ("卡6222020200112233445", "卡622202*********3445"), ("0769-22223333", "0769-****3333"),
    ("076922223333", "0769****3333"),
    ("单号DG2026112130000017", "单号DG2026112130000017"), ("2026-11-21 10:00", "2026-11-21 10:00"),
    ("三栋1201房", "三栋1201房"), ("12345", "12345"), ("", ""),
])
def test_numbers_are_starred_sign_for_sign(text: str, shown: str) -> None:
    assert len(starred(text)) == len(text)
    assert starred(text) == shown
    assert starred(starred(text)) == starred(text)


def test_spoken_numbers_that_triage_found_are_starred() -> None:
    text = "我电话一三八零零一三八零零零,路灯坏"
    phone = Entity(type="phone", text=text[3:14], start=3, end=14)
    assert hidden(text, entities=[phone]) == "我电话一三八****八零零零,路灯坏"
    moved = msgspec.structs.replace(phone, start=4, end=15)
    assert hidden(text, entities=[moved]) == text, "a span that does not fit is left alone"


def receipt(text: str, name: str = "", phone: str = "", *, address: str = "", title: str = "") -> TicketEvent:
    appeal = Appeal(text=text, title=title, citizen=Citizen(name=name, phone=phone, key=f"app:{phone}"),
                    place=Place(town="南城", address=address, lat=23.0))
    spans = [
        Entity(type="phone", text=word, start=text.index(word), end=text.index(word) + len(word))
        for word in text.split() if word.startswith("1") and len(word) == 11
    ]
    triage = Triage(category=None, kind=Kind.COMPLAINT, entities=tuple(spans), title=text[:12])
    fact = Receive(number=TicketNumber("DG1"), channel=Channel.APP, appeal=appeal, triage=triage)
    return TicketEvent(version=1, at=NOW, actor=Actor(Role.CITIZEN), fact=fact, state=State.RECEIVED)


@given(TEXTS, NAMES, PHONES, TEXTS, TEXTS)
def test_a_receipt_is_the_same_again(text: str, name: str, phone: str, address: str, title: str) -> None:
    event = receipt(text, name, phone, address=address, title=title)
    shown, private = split(event)
    assert private is not None, "a key at least"
    assert joined(shown, private) == event
    doc, sealed = sealed_event(event)
    assert event_from(doc, sealed) == event
    assert event_from(doc) == shown
    fact = shown.fact
    assert isinstance(fact, Receive)
    assert (fact.appeal.citizen, fact.appeal.place.address) == (Citizen(), "")
    assert fact.appeal.place.town == "南城"
    assert len(fact.appeal.text) == len(text)
    for secret in (phone, phone.removeprefix("+86"), name if len(name) > 1 and name.isascii() is False else ""):
        assert not secret or secret not in doc


@given(st.sampled_from(sorted(get_args(c.Command), key=lambda kind: kind.__name__)), TEXTS, NUMBERS)
def test_every_command_is_the_same_again(kind: Any, text: str, number: str) -> None:
    told = f"{text} {number}"
    fields: dict[str, Any] = {field.name: told for field in msgspec.structs.fields(kind) if field.type is str}
    try:
        fact = kind(**fields)
    except TypeError:
        return  # needs more than texts
    event = TicketEvent(version=2, at=NOW, actor=Actor(Role.AGENT, "li"), fact=fact, state=State.HANDLING)
    doc, sealed = sealed_event(event)
    assert event_from(doc, sealed) == event
    hides = kind is c.PledgeWish
    assert (sealed is None) == (not fields or (starred(told) == told and not hides))
    if fields and starred(number) == number.replace(number, starred(number)) != number:
        assert number not in doc


def happened(fact: c.Command) -> TicketEvent:
    return TicketEvent(version=2, at=NOW, actor=Actor(Role.AGENT, "li"), fact=fact, state=State.HANDLING)


@pytest.mark.parametrize("fact", [
    c.AddMessage(text="我是张三丰,路灯还没修"), c.SupplyInfo(text="张三丰,鸿福路"), c.AddNote(text="张三丰来电"),
    c.Reply(internal="已联系张三丰", public="已修好,张三丰"), c.Correct(title="张三丰反映"), c.Urge(note="张三丰"),
])
def test_the_citizens_name_is_starred_in_whatever_follows(fact: c.Command) -> None:
    event = happened(fact)
    doc, sealed = sealed_event(event, "张三丰")
    assert "张三丰" not in doc
    assert "张**" in doc
    assert event_from(doc, sealed) == event
    assert sealed_event(event, "李四")[1] is None, "of nobody that is known"


def test_who_donates_is_hidden_whole() -> None:
    event = happened(c.PledgeWish(pledge="p-1", donor="王小明", contact="wxid_wang", note="王先生送来"))
    doc, sealed = sealed_event(event)
    assert "王小明" not in doc
    assert "wxid_wang" not in doc
    assert event_from(doc, sealed) == event


def test_what_programs_read_is_not_garbled_by_a_name() -> None:
    event = happened(c.Dispatch(lead=DepartmentCode("城管局")))
    assert split(event, "城管") == (event, None)
    codes = {field.name for kind in get_args(c.Command) for field in msgspec.structs.fields(kind)
             if isinstance(field.type, NewType)}
    assert codes - {"parent"} <= CODES, "a new one? parent is a number"


def test_nothing_is_sealed_where_there_is_nothing_to_seal() -> None:
    appeal = Appeal(text="路灯坏了", citizen=Citizen())
    fact = Receive(number=TicketNumber("DG1"), channel=Channel.WEB, appeal=appeal, triage=Triage(category=None))
    event = TicketEvent(version=1, at=NOW, actor=Actor(Role.CITIZEN), fact=fact, state=State.RECEIVED)
    assert split(event) == (event, None)
    assert sealed_event(event)[1] is None


def test_the_address_of_a_correction_is_sealed() -> None:
    fact = c.Correct(place=Place(town="南城", address="鸿福路1号"))
    event = TicketEvent(version=2, at=NOW, actor=Actor(Role.AGENT, "li"), fact=fact, state=State.HANDLING)
    shown, private = split(event)
    assert private == Private(fact=fact)
    assert shown.fact == c.Correct(place=Place(town="南城"))


def test_whom_it_concerns_is_sealed_and_when_it_happened_has_no_numbers() -> None:
    first = receipt("路灯坏了", "张三丰", "+8613800138000")
    assert isinstance(first.fact, Receive)
    told = msgspec.structs.replace(first.fact.appeal, happened_at="昨晚十点,13911112222来电后", about="王老五")
    event = msgspec.structs.replace(first, fact=msgspec.structs.replace(first.fact, appeal=told))
    later = happened(c.Correct(happened_at="昨晚十点", about="王老五"))
    for one in (event, later):
        doc, sealed = sealed_event(one)
        assert event_from(doc, sealed) == one
        assert "昨晚十点" in doc
        assert not any(secret in doc for secret in ("王老五", "13911112222"))


def test_a_private_part_belongs_to_its_kind() -> None:
    event = TicketEvent(version=2, at=NOW, actor=Actor(Role.AGENT, "li"), fact=c.Accept(), state=State.HANDLING)
    with pytest.raises(TypeError):
        joined(event, Private(citizen=Citizen(name="张三")))
