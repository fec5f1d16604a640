"""What neighbours are told follows from the log: the whole way of a ticket handed over, and of one taken in."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.neighbour_codec import HandOver, Status, Update, decode_hand_over, decode_update, inbound_of
from hotline import commands as c
from hotline import follow_up
from hotline.appeal import Appeal, Citizen, Entity, Place, Triage
from hotline.decide import Decision, decide, receive
from hotline.effects import effects_of
from hotline.errors import InvalidInput
from hotline.events import SYSTEM, Actor, Role, TicketEvent
from hotline.neighbours import NeighbourKind, last_hand_over, neighbours_of, parcels_of, with_neighbours
from hotline.terms import REJECT_ROUTES, Channel, Kind, Rating, RejectReason, Service
from hotline.ticket import Ticket, replay
from routing.directory import UnitKind
from tests.cities import DIRECTORY, NOW, POLICY, STREET_LIGHT

CITY, GRID = "广州12345", "智网工程"
SETTING = (
    f"440100={CITY},http://gz/api/v1/neighbours/441900,long secret|grid={GRID},http://grid,long secret"
    "|portal=粤省事,,long secret"
)
BY_CODE = neighbours_of(SETTING)
LI = Citizen(name="李明", phone="+8613800138000", key="+8613800138000")
OURS = "DG20261120300000015"


class Way:
    """A ticket on its way; keeps its history."""

    def __init__(
        self, channel: Channel = Channel.WEB, *, triage: Triage = STREET_LIGHT, **appeal: object
    ) -> None:
        given = Appeal(**{"text": "广州南沙港前大道路灯不亮", "citizen": LI, **appeal})  # type: ignore[arg-type]
        self.last = receive(number=OURS, channel=channel, appeal=given, triage=triage, now=NOW, policy=POLICY)
        self.before: Ticket | None = None
        self.events: list[TicketEvent] = [self.last.event]

    def do(self, command: c.Command, actor: Actor = SYSTEM) -> Way:
        self.before = self.last.ticket
        now = NOW + timedelta(minutes=len(self.events))
        self.last = decide(self.before, command, now=now, policy=POLICY, actor=actor)
        self.events.append(self.last.event)
        return self

    @property
    def told(self) -> list[tuple[str, str, object]]:
        parcels = parcels_of(self.events, self.before, self.last.ticket, BY_CODE)
        return [(p.neighbour, p.hand_over, p.body) for p in parcels]

    @property
    def news(self) -> list[tuple[str, str]]:
        return [(body.status, body.text) for _, _, body in self.told if isinstance(body, Update)]


def at(unit: str, **appeal: object) -> Way:
    return Way(**appeal).do(c.Accept()).do(c.Dispatch(lead=unit))  # type: ignore[arg-type]


# ── the setting ──────────────────────────────────────────────────────────────────────────────────
def test_the_setting_is_read() -> None:
    assert {code: (n.unit, n.kind, n.takes_tickets) for code, n in BY_CODE.items()} == {
        "440100": (CITY, NeighbourKind.CITY, True), "grid": (GRID, NeighbourKind.GRID, True),
        "portal": ("粤省事", NeighbourKind.PORTAL, False),
    }
    assert neighbours_of("") == {}


@pytest.mark.parametrize("wrong", [
    "nobody=甲,http://x,long secret", "44010=甲,http://x,long secret", "grid=甲,http://x,short",
    "grid=,http://x,long secret",
    "grid=甲,ftp://x,long secret", "grid=甲,http://x,long secret|grid=乙,http://x,long secret", "grid", "=",
    "grid=甲,http://x,long secret,more",
])
def test_mistakes_in_the_setting_are_told(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        neighbours_of(wrong)


def test_who_takes_tickets_is_a_unit() -> None:
    units = with_neighbours(DIRECTORY, BY_CODE).units
    assert {name for name, unit in units.items() if unit.kind is UnitKind.NEIGHBOUR} == {CITY, GRID}
    assert set(units) == {*DIRECTORY.units, CITY, GRID}


# ── a ticket of ours ─────────────────────────────────────────────────────────────────────────────
def test_a_dispatch_to_a_neighbour_hands_the_whole_matter_over() -> None:
    place = Place(village="南横村", grid="G12", address="港前大道1号", lat=22.8, lon=113.5)
    way = at(CITY, place=place, happened_at="昨晚十点", about="某灯饰公司")
    [(code, key, body)] = way.told
    assert isinstance(body, HandOver)
    assert (code, key, body.key, body.number) == ("440100", f"{OURS}-3", f"{OURS}-3", OURS)
    assert (body.name, body.phone, body.address, body.category) == ("李明", "+8613800138000", "港前大道1号", "路灯")
    assert decode_hand_over(msgspec.json.encode(body)) == body
    taken = inbound_of(body, code="441900", now=NOW).appeal
    assert (taken.place, taken.happened_at, taken.about) == (place, "昨晚十点", "某灯饰公司")


@pytest.mark.parametrize("way", [
    at(GRID), at(CITY, confidential=True), at(CITY, kind=Kind.REPORT), at(GRID, confidential=True),
], ids=["grid", "confidential", "report", "both"])
def test_who_the_citizen_is_goes_no_further_than_needed(way: Way) -> None:
    [(_, _, body)] = way.told
    assert "李明" not in msgspec.json.encode(body).decode()
    assert "138" not in msgspec.json.encode(body).decode()


TOLD = "我是李明,电话13800138000或幺三九零零幺三九零零零"


def spelt_out() -> Triage:
    number = TOLD.partition("或")[2]
    start = TOLD.index(number)
    phone = Entity(type="phone", text=number, start=start, end=start + len(number))
    return msgspec.structs.replace(STREET_LIGHT, title="李明反映路灯", entities=(phone,))


@pytest.mark.parametrize(("unit", "appeal"), [
    (GRID, {}), (CITY, {"confidential": True}), (CITY, {"kind": Kind.REPORT}),
])
def test_nor_do_the_texts_say_it(unit: str, appeal: dict[str, object]) -> None:
    told_of = {"happened_at": "昨晚13800138000响时", "about": "李明的房东"}
    way = Way(triage=spelt_out(), text=TOLD, **told_of, **appeal)
    way.do(c.AddMessage(text="李明:打13800138000")).do(c.Accept())
    told = [way.do(c.Dispatch(lead=unit)).told, way.do(c.AddMessage(text="找李明,13800138000")).told,
            way.do(c.Urge(note="李明催")).told, way.do(c.TakeBack(reason="李明13800138000说不用了")).told]
    [(_, _, body)] = told[0]
    assert isinstance(body, HandOver)
    assert (body.happened_at, body.about) == ("昨晚138****8000响时", "李*的房东")
    assert (body.text, body.title) == ("我是李*,电话138****8000或幺三九****九零零零", "李*反映路灯")
    assert body.messages == ("李*:打138****8000",)
    texts = [one.text for [(_, _, one)] in told[1:]]  # type: ignore[attr-defined]
    assert texts == ["找李*,138****8000", "催办:李*催", "李*138****8000说不用了"]


def test_a_city_that_may_know_the_citizen_reads_what_was_written() -> None:
    way = Way(triage=spelt_out(), text=TOLD).do(c.AddMessage(text="打13800138000")).do(c.Accept())
    [(_, _, body)] = way.do(c.Dispatch(lead=CITY)).told
    assert isinstance(body, HandOver)
    assert (body.text, body.title, body.messages) == (TOLD, "李明反映路灯", ("打13800138000",))
    assert way.do(c.AddMessage(text="找李明,13800138000")).news == [("message", "找李明,13800138000")]


def test_what_was_said_before_goes_along() -> None:
    way = Way().do(c.AddMessage(text="还有一盏")).do(c.AskInfo(question="哪条路?")).do(c.SupplyInfo(text="港前大道"))
    [(_, _, body)] = way.do(c.Accept()).do(c.Dispatch(lead=CITY)).told
    assert isinstance(body, HandOver)
    assert body.messages == ("还有一盏", "港前大道")


def test_what_was_answered_to_another_unit_goes_along_in_the_order_in_which_it_was_said() -> None:
    way = Way().do(c.AskInfo(question="哪条路?")).do(c.SupplyInfo(text="港前大道")).do(c.AddMessage(text="还有一盏"))
    way.do(c.Accept()).do(c.Dispatch(lead="城管局")).do(c.Sign()).do(c.AskInfo(question="几号灯杆?"))
    way.do(c.Resume(text="17号")).do(c.AddMessage(text="")).do(c.TakeBack(reason="属广州"))
    [(_, _, body)] = way.do(c.Dispatch(lead=CITY)).told
    assert isinstance(body, HandOver)
    assert body.messages == ("港前大道", "还有一盏", "17号")


def test_a_long_talk_is_handed_over_whole_in_as_many_messages_as_a_neighbour_takes() -> None:
    way = Way()
    for n in range(130):
        way.do(c.AddMessage(text=f"第{n}句"))
    [(_, _, body)] = way.do(c.Accept()).do(c.Dispatch(lead=CITY)).told
    taken = decode_hand_over(msgspec.json.encode(body))
    assert "\n".join(taken.messages).split("\n") == [f"第{n}句" for n in range(130)]


HOLDER = Actor(Role.DEPARTMENT, CITY)


@pytest.mark.parametrize(("command", "actor", "news"), [
    (c.AddMessage(text="又坏一盏"), SYSTEM, [("message", "又坏一盏")]),
    (c.Urge(note="催"), SYSTEM, [("message", "催办:催")]),
    (c.Urge(), SYSTEM, [("message", "催办")]), (c.TakeBack(reason="改派"), SYSTEM, [("recalled", "改派")]),
    (c.Withdraw(reason="不用了"), SYSTEM, [("recalled", "不用了")]),
    (c.HandOff(services=(Service.FIRE,)), SYSTEM, [("recalled", "工单已由来源地另行处理。")]),
    (c.AddNote(text="内部"), SYSTEM, []), (c.AddMessage(text="给市民", inbound=False), SYSTEM, []),
    (c.Sign(), HOLDER, []), (c.TakeBack(reason="退回"), Actor(Role.SYSTEM, CITY), []),
])
def test_what_the_holder_is_told(command: c.Command, actor: Actor, news: list[tuple[str, str]]) -> None:
    assert at(CITY).do(command, actor).news == news
    assert at("城管局").do(command, SYSTEM if actor is not HOLDER else Actor(Role.DEPARTMENT, "城管局")).told == []


def test_the_end_is_told_with_what_the_citizen_said() -> None:
    way = at(CITY).do(c.Sign(), HOLDER).do(c.Reply(internal="修好", public="已修好"), HOLDER)
    assert way.do(c.RejectReply(reason="没有照片")).news == [("message", "办理结果未通过审核,请补充:没有照片")]
    way.do(c.Reply(internal="修好", public="已修好"), HOLDER).do(c.AcceptReply())
    [(_, key, body)] = way.do(c.SettleFollowUp(rating=Rating.SATISFIED, solved=True)).told
    assert isinstance(body, Update)
    assert (key, body.status, body.rating, body.solved) == (f"{OURS}-3", Status.SETTLED, Rating.SATISFIED, True)


def test_a_second_hand_over_is_another_one() -> None:
    way = at(CITY).do(c.TakeBack(reason="补充")).do(c.Dispatch(lead=CITY))
    assert [key for _, key, _ in way.told] == [f"{OURS}-5"]
    assert last_hand_over(way.events, OURS, CITY) == f"{OURS}-5"
    assert way.do(c.Urge()).told[0][1] == f"{OURS}-5"


# ── a ticket of another city ─────────────────────────────────────────────────────────────────────
def taken() -> Way:
    given = HandOver(key="GZ1-3", number="GZ1", text="东莞路灯不亮", name="李明", phone="138-0013-8000")
    inbound = inbound_of(given, code="440100", now=NOW)
    assert inbound.external_id == inbound.appeal.citizen.key == "440100:GZ1-3"
    return Way(Channel.CITY, text=inbound.appeal.text, citizen=inbound.appeal.citizen)


@pytest.mark.parametrize(("commands", "news"), [
    ([], []), ([c.Accept()], []), ([c.Accept(), c.Dispatch(lead="城管局")], [("accepted", "已转城管局办理。")]),
    ([c.Accept(), c.Dispatch(lead="城管局"), c.Sign(), c.RecordContact()], [("contacted", "")]),
    ([c.AskInfo(question="哪条路?")], [("need_info", "哪条路?")]),
    ([c.AddMessage(text="正在修", inbound=False)], [("message", "正在修")]),
    ([c.Answer(text="已答复")], [("outcome", "已答复")]),
    ([c.Reject(reason=RejectReason.LITIGATION)], [("returned", REJECT_ROUTES[RejectReason.LITIGATION])]),
    ([c.Withdraw(reason="")], [("returned", "已撤单")]),
    ([c.HandOff(services=(Service.FIRE,))], [("accepted", "情况紧急,已移交119处置。")]),
])
def test_what_the_origin_is_told(commands: list[c.Command], news: list[tuple[str, str]]) -> None:
    way = taken()
    for command in commands:
        way.do(command)
    assert way.news == news
    assert all(code == "440100" and key == "GZ1-3" for code, key, _ in way.told)


def test_the_origin_hears_that_110_has_ended_it_and_of_an_answer_once() -> None:
    """It was told that the ticket went to 110, and its own stood open for ever."""
    handed = taken().do(c.HandOff(services=(Service.POLICE,))).do(c.Close(note="已出警"))
    assert handed.news == [("outcome", "已由110处置完毕。")]
    assert taken().do(c.Answer(text="已答复")).do(c.Close()).news == []


def test_the_outcome_is_told_when_the_centre_has_accepted_it() -> None:
    way = taken().do(c.Accept()).do(c.Dispatch(lead="城管局")).do(c.Sign())
    way.do(c.Reply(internal="换灯", public="已修好"))
    assert way.news == []
    assert way.do(c.AcceptReply()).news == [("outcome", "已修好")]


def test_the_citizen_is_told_and_asked_by_the_city_they_turned_to() -> None:
    way = taken().do(c.Accept()).do(c.Dispatch(lead="城管局")).do(c.AddMessage(text="您好", inbound=False))
    ticket = way.last.ticket
    assert ticket.appeal.citizen.phone
    assert effects_of(ticket, way.last.event, signature="东莞12345").messages == ()
    assert follow_up.ways(ticket) == ()


def test_what_the_origin_did_itself_is_not_told_back() -> None:
    assert taken().do(c.Withdraw(reason="来源地收回"), Actor(Role.SYSTEM, "440100")).told == []


def test_every_parcel_of_a_ticket_has_a_key_of_its_own() -> None:
    way, keys = at(CITY), [f"{OURS}-3"]
    for command in (c.Urge(), c.AddMessage(text="x"), c.Urge(), c.TakeBack(reason="x"), c.Dispatch(lead=GRID)):
        keys += [p.key for p in parcels_of(way.do(command).events, way.before, way.last.ticket, BY_CODE)]
    assert len(keys) == len(set(keys)) == 6


# ── the wire ─────────────────────────────────────────────────────────────────────────────────────
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_is_understood_or_refused(data: bytes) -> None:
    for decode in (decode_hand_over, decode_update):
        with pytest.raises(InvalidInput):
            decode(data)


@pytest.mark.parametrize("wrong", [
    {"key": ""}, {"key": "有空 格"}, {"text": ""}, {"lat": 22.0}, {"unknown": 1}, {"kind": "x"}, {"text": "x" * 10_001},
])
def test_a_malformed_hand_over_is_refused(wrong: dict[str, object]) -> None:
    good = {"key": "GZ1-3", "number": "GZ1", "text": "路灯不亮"}
    assert decode_hand_over(msgspec.json.encode(good)).number == "GZ1"
    with pytest.raises(InvalidInput):
        decode_hand_over(msgspec.json.encode(good | wrong))


def test_replay_knows_what_was_taken_back() -> None:
    ticket = replay(at(CITY).do(c.TakeBack(reason="x")).events)
    assert (ticket.lead, ticket.state) == ("", "pending_dispatch")
    assert isinstance(at(CITY).last, Decision)
