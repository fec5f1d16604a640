"""Who may see what, as whole grids; presence as its whole table; masking; frames and their document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_ui import protocol as p
from agent_ui.asyncapi import document, rendered
from agent_ui.masking import (
    ABROAD,
    ID_CARD,
    LANDLINE,
    MOBILE,
    mask_name,
    mask_public,
    mask_text,
    masked,
    may_see_citizen,
)
from agent_ui.presence import (
    CHOSEN_AT_CONSOLE,
    PRESENCE,
    NotReadyReason,
    Presence,
    PresenceState,
    next_presence,
)
from agent_ui.session import Session, follow, unfollow
from agent_ui.staff import Staff, StaffRole, acting_role, actor_of, check_command, check_ticket, check_topic
from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Place
from hotline.decide import receive
from hotline.errors import Forbidden, IllegalTransition, InvalidInput
from hotline.events import Actor, Role, TicketEvent
from hotline.summary import Summary, summarize
from hotline.terms import Channel, Kind
from tests.cities import NOW, POLICY, STREET_LIGHT

AGENT = Staff(name="zhang", display_name="张三", role=StaffRole.AGENT)
SUPERVISOR = Staff(name="li", display_name="李四", role=StaffRole.SUPERVISOR)
UNIT = Staff(name="wang", display_name="王五", role=StaffRole.DEPARTMENT, department="城管局")
ADMINS = [Staff(name=role, display_name=role, role=role) for role in StaffRole if role.endswith("_admin")]
OPEN_TO = {
    "tickets": {"supervisor"}, "centre": {"supervisor", "agent"}, "emergency": {"supervisor", "agent"},
    "alarms": {"supervisor", "agent"}, "presence": {"supervisor", "agent"}, "ticket:DG1": {"supervisor", "agent"},
    "agent:zhang": {"supervisor", "agent"}, "agent:other": {"supervisor"},
    "department:城管局": {"supervisor", "department"}, "department:水务局": {"supervisor"},
}


@pytest.mark.parametrize("topic", OPEN_TO)
@pytest.mark.parametrize("staff", [AGENT, SUPERVISOR, UNIT, *ADMINS], ids=lambda s: s.name)
def test_topics_by_role(staff: Staff, topic: str) -> None:
    if staff.role in OPEN_TO[topic]:
        check_topic(staff, topic)
    else:
        with pytest.raises(Forbidden):
            check_topic(staff, topic)


@pytest.mark.parametrize(
    "topic", ["", "nothing", "ticket:", "department:", "agent:", "Centre", "presence:a", "tickets "]
)
def test_made_up_topics_are_mistakes(topic: str) -> None:
    with pytest.raises(InvalidInput):
        check_topic(SUPERVISOR, topic)


def test_administrators_do_not_work_on_tickets() -> None:
    for staff in ADMINS:
        with pytest.raises(Forbidden):
            acting_role(staff)
        with pytest.raises(Forbidden):
            check_command(staff, c.Accept())


def test_events_name_the_person_or_the_unit() -> None:
    assert actor_of(AGENT) == Actor(Role.AGENT, "zhang")
    assert actor_of(UNIT) == Actor(Role.DEPARTMENT, "城管局")


def row(**changes: object) -> Summary:
    first = receive(number="DG1", channel=Channel.WEB, appeal=Appeal(text="x"), triage=STREET_LIGHT, now=NOW,  # type: ignore[arg-type]
                    policy=POLICY).ticket
    return msgspec.structs.replace(summarize(first, NOW), **changes)


def test_a_department_opens_its_own_tickets_only() -> None:
    check_ticket(UNIT, row(lead="城管局"))
    check_ticket(UNIT, row(lead="水务局", assisting=("城管局",)))
    check_ticket(AGENT, row(lead="水务局"))
    for summary in (row(lead="水务局"), row()):
        with pytest.raises(Forbidden):
            check_ticket(UNIT, summary)


def test_a_claim_is_in_ones_own_name() -> None:
    check_command(AGENT, c.Claim(agent="zhang"))
    check_command(SUPERVISOR, c.Claim(agent="zhang"))
    with pytest.raises(Forbidden):
        check_command(AGENT, c.Claim(agent="li"))


def test_following_is_all_or_nothing_and_bounded() -> None:
    session = Session(staff=AGENT, resume_from=7)
    with pytest.raises(Forbidden):
        follow(session, ["centre", "tickets"])
    session = follow(session, ["centre"])
    assert (session.topics, session.resume_from) == ({"centre"}, None)
    with pytest.raises(InvalidInput):
        follow(session, [f"ticket:DG{n}" for n in range(p.MAX_TOPICS)])
    assert unfollow(session, ["centre", "emergency"]).topics == frozenset()


# ── presence ─────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("state", PresenceState)
@pytest.mark.parametrize("chosen", PresenceState)
@pytest.mark.parametrize("reason", [None, NotReadyReason.MEAL])
def test_the_presence_table(state: PresenceState, chosen: PresenceState, reason: NotReadyReason | None) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    now = since + timedelta(minutes=1)
    before = Presence(staff="a", state=state, since=since, reason="break" if state == "not_ready" else "")
    if (chosen is PresenceState.NOT_READY) != (reason is not None):
        with pytest.raises(InvalidInput):
            next_presence(before, chosen, reason, now=now)
    elif chosen is state and not reason:
        assert next_presence(before, chosen, reason, now=now) is before
    elif chosen in PRESENCE[state] and chosen in CHOSEN_AT_CONSOLE:
        after = next_presence(before, chosen, reason, now=now)
        assert (after.state, after.since, after.reason) == (chosen, now, reason or "")
    else:
        with pytest.raises(IllegalTransition):
            next_presence(before, chosen, reason, now=now)


def test_every_state_can_be_left() -> None:
    assert set(PRESENCE) == set(PresenceState)
    assert all(PresenceState.OFFLINE in ways for state, ways in PRESENCE.items() if state is not PresenceState.OFFLINE)


# ── personal data ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("text", "hidden"), [
    ("电话13800138000找张三", "电话138****8000找张三"), ("+8613800138000", "+86138****8000"),
    ("138-0013-8000", "138****8000"), ("138 0013 8000。", "138****8000。"), ("86 13800138000", "86 138****8000"),
    ("身份证44190019900101123X,", "身份证441900********123X,"), ("0769-22830000", "0769-****0000"),
    ("+8676922830000", "+86769****0000"), ("008613800138000", "0086138****8000"), ("+85223456789", "+852****6789"),
    ("3+20000", "3+20000"), ("工单DG202611213000042701", "工单DG202611213000042701"),
    ("138.0013.8000", "138.****.8000"), ("打138_0013_8000", "打138_****_8000"), ("座机22112345", "座机****2345"),
    ("（0769）22112345", "（076*）****2345"), ("１３８００１３８０００", "１３８****８０００"),
    ("幺三八 零零一三 八零零零转两次", "幺三八 **** 八零零零转两次"), ("441900 19900101 1234", "441900 ******** 1234"),
    ("电话幺三八嗯零零一三呃八零零零", "电话幺三八******八零零零"), ("441900,19900101,1234", "441900,********,1234"),
    ("编号22112345", "编号22112345"), ("车牌粤S12345", "车牌粤S12345"), ("1380.5.20", "1380.5.20"),
    ("2026-11-22T08:25:42.138001+08:00", "2026-11-22T08:25:42.138001+08:00"),
    ("a13800138000b", "a13800138000b"), ("订单20261121138001380001", "订单20261121138001380001"), ("", ""),
])
def test_numbers_are_hidden_in_texts(text: str, hidden: str) -> None:
    assert mask_text(text) == hidden


@given(st.text(alphabet="0123456789X+-._ 电话a一三零八", max_size=40))
def test_what_is_hidden_stays_hidden(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.text(alphabet="01358６9+- 电a", max_size=24))
def test_no_number_is_passed_over(text: str) -> None:
    shown = mask_text(text)
    assert not any(pattern.search(shown) for pattern in (ID_CARD, MOBILE, LANDLINE, ABROAD))


def test_names() -> None:
    assert [mask_name(name) for name in ("张三", "欧阳娜娜", "A", "")] == ["张*", "欧*", "A*", ""]


def test_a_masked_ticket_shows_no_citizen_but_is_a_ticket() -> None:
    citizen = Citizen(name="张三丰", phone="+8613800138000", key="oAbCdEfGh123456")
    decision = receive(
        number="DG1", channel=Channel.WECHAT, policy=POLICY, now=NOW, triage=STREET_LIGHT,  # type: ignore[arg-type]
        appeal=Appeal(text="我的电话是13800138000", citizen=citizen),
    )
    hidden = masked(decision.ticket)
    assert hidden.appeal.citizen == Citizen(name="张*", phone="+86138****8000", key="oAb*")
    assert hidden.clocks == decision.ticket.clocks
    for value in (hidden, masked(decision.event)):
        encoded = msgspec.json.encode(value).decode()
        assert not any(secret in encoded for secret in ("张三丰", "13800138000", "oAbCdEfGh"))
    assert isinstance(masked(decision.event), TicketEvent)


def test_of_a_concealed_citizen_nothing_is_left() -> None:
    citizen = Citizen(name="张三丰", phone="+8613800138000", key="oAbCdEfGh123456")
    told, left = "我是张三丰,13800138000,路灯12盏不亮", "我是***,***********,路灯12盏不亮"
    appeal = Appeal(text=told, citizen=citizen, confidential=True, place=Place(address="鸿福路1号"))
    decision = receive(
        number="DG1", channel=Channel.WECHAT, policy=POLICY, now=NOW, triage=STREET_LIGHT, appeal=appeal,  # type: ignore[arg-type]
    )
    for shown in (masked(value, "张三丰", concealed=True) for value in (decision.ticket, decision.event.fact)):
        assert shown.appeal == Appeal(text=left, confidential=True, place=Place(address="鸿福路1号"))


@pytest.mark.parametrize("name", ["report", "complaint", "2026", "DG", "路灯", "王", ""])
def test_no_name_garbles_a_ticket(name: str) -> None:
    appeal = Appeal(text="路灯不亮", citizen=Citizen(name=name))
    decision = receive(
        number="DG1", channel=Channel.WEB, appeal=appeal, triage=STREET_LIGHT, now=NOW, policy=POLICY,  # type: ignore[arg-type]
    )
    assert masked(decision.ticket, name).number == decision.ticket.number


@pytest.mark.parametrize(("text", "shown"), [
    ("经核实,王小明(13812345678)反映的工地已停工", "经核实,王*(138****5678)反映的工地已停工"),
    ("身份证441900199001011234已核对", "身份证441900********1234已核对"),
    ("详询0769-22830000或12345", "详询0769-22830000或12345"),
    ("已致电0769-22223333告知", "已致电0769-****3333告知"),
    ("小明的车已移走", "小明的车已移走"),
    ("打138.1234.5678或幺三八一二三四五六七八", "打138.****.5678或幺三八****五六七八"),
    ("详询座机22830000", "详询座机22830000"),
    ("已退至6222 0212 3456 7894", "已退至6222********7894"), ("已退至4111-1111-1111-1111", "已退至4111********1111"),
    ("旧证441900900101123", "旧证441900********123"), ("文号2026112012345678已发", "文号2026112012345678已发"),
    ("工单DG2026112240000009已办", "工单DG2026112240000009已办"),  # its digits pass a card's check
])
def test_what_the_public_reads_names_nobody(text: str, shown: str) -> None:
    assert mask_public(text, "王小明", phone="+8676922223333") == shown


def test_reports_and_confidential_tickets_hide_the_citizen_from_the_department() -> None:
    first = receive(number="DG1", channel=Channel.WEB, appeal=Appeal(text="x"), triage=STREET_LIGHT, now=NOW,  # type: ignore[arg-type]
                    policy=POLICY).ticket
    secret = msgspec.structs.replace(first, appeal=Appeal(text="x", confidential=True))
    report = msgspec.structs.replace(first, kind=Kind.REPORT)
    seen = [[may_see_citizen(who, t) for t in (first, secret, report)] for who in (AGENT, SUPERVISOR, UNIT)]
    assert seen == [[True] * 3, [True] * 3, [True, False, False]]


# ── frames ───────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("data", [
    b"", b"{", b"[]", b"null", b'{"type":"nothing"}', b'{"type":"hello"}', b'{"type":"follow","topics":[]}',
    b'{"type":"follow","topics":["centre"],"more":1}', b'{"type":"snapshot","topic":"centre","limit":0}',
    b'{"type":"command","id":1,"number":"DG1","command":{"type":"explode"}}', b'{"type":"ping","active":"yes"}',
    b'{"type":"command","id":-1,"number":"DG1","command":{"type":"accept"}}', b"\xff\xfe", b"[" * 5000,
    b'{"type":"hello","ticket":"x","last_seq":9007199254740992}', b'{"type":"presence","id":1,"state":"asleep"}',
])
def test_malformed_frames_are_mistakes_of_the_console(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        p.decode(data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    try:
        p.decode(data)
    except InvalidInput:
        p.id_of(data)


def test_the_id_of_a_wrong_request_is_found() -> None:
    assert p.id_of(b'{"type":"command","id":7}') == 7
    assert p.id_of(b'{"type":"command","id":"x"}') is None


def test_asyncapi_is_current() -> None:
    """After a change of the protocol: python -m agent_ui.asyncapi > docs/asyncapi.json"""
    assert Path("docs/asyncapi.json").read_text(encoding="utf-8") == rendered()


def test_asyncapi_names_every_frame_and_every_reference_leads_somewhere() -> None:
    made = document()
    names = {kind.__name__ for union in (p.ConsoleFrame, p.ServerFrame) for kind in get_args(union)}
    assert set(made["components"]["messages"]) == names == set(made["channels"]["console"]["messages"])

    def references(value: object) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(item) for item in value.values()))
        return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()

    for reference in references(msgspec.json.decode(rendered())):
        place: object = made
        for step in reference.removeprefix("#/").split("/"):
            assert isinstance(place, dict)
            place = place[step]
