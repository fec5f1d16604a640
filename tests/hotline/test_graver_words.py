"""What 110 is told where a later message raises the verdict: these words, and who says them."""

from __future__ import annotations

from typing import Any

from hotline import commands as c
from hotline.appeal import Appeal, Citizen, Evidence, Place, Triage
from hotline.effects import _UNREST, Spoken, effects_of_all
from hotline.events import Actor, Role
from hotline.ids import TicketNumber
from hotline.opening import continue_ticket
from hotline.terms import Service, Verdict
from tests.cities import NOW, RULES
from tests.hotline.pure_tickets import PARENT, ticket
from tests.hotline.test_handoff import world
from tests.hotline.test_intake import inbound, intake_over
from triage import lexicon

TEXT = "有人聚集打砸,快来"
CROWD = Triage(
    category=None, verdict=Verdict.EMERGENCY, services=(Service.POLICE,),
    evidence=(Evidence(rule="rule:crowd", text="聚集打砸"),),
)


def told(merged: TicketNumber | None = None) -> dict[str, Any]:
    """What 110 is told of a ticket about a street light whose citizen, or a merged one's, adds TEXT."""
    change = continue_ticket(ticket(PARENT), inbound(TEXT), CROWD, rules=RULES, now=NOW, merged=merged)
    spoken = Spoken(TEXT, CROWD, merged)
    [incident] = effects_of_all(change.ticket, change.events, signature="东莞12345", spoken=spoken).incidents
    return dict(incident.payload)


def test_110_reads_the_words_that_raised_the_verdict_behind_the_appeal() -> None:
    payload = told()
    assert payload["text"] == f"路灯不亮\n补充:{TEXT}"
    assert (payload["risk_alert"], "speaker" in payload) == (True, False)


def test_a_merged_citizen_is_told_by_the_number_of_their_ticket() -> None:
    assert told(TicketNumber("DG20261120300000023"))["speaker"] == "DG20261120300000023"


def test_a_crowd_is_what_triage_calls_so() -> None:
    assert _UNREST in {f"rule:{word.danger}" for word in lexicon._all()}


async def test_110_reaches_the_merged_citizen_who_tells_of_danger(database: str) -> None:
    wang, zhang = [
        Appeal(text="路灯不亮", citizen=Citizen(name=name, phone=phone), place=Place(address=address))
        for name, phone, address in (("王一", "+8613800138001", "体育路1号"), ("张二", "+8613800138002", "鸿福路2号"))
    ]
    async with world(database) as w, intake_over(database) as intake:
        parent, child = [(await intake.submit(inbound(appeal=appeal))).number for appeal in (wang, zhang)]
        merge = c.Merge(parent=(await w.store.read(parent)).id)
        await w.service.act(child, merge, actor=Actor(Role.AGENT, "a1"))
        await intake.submit(inbound("现在着火了", continues=child))
        key = await w.pool.fetchval("SELECT key FROM incidents")  # type: ignore[attr-defined]
        await w.hand_offs.push(key)
        [incident] = w.desk.incidents.values()
    payload = incident.payload
    assert (payload["number"], payload["speaker"], payload["text"]) == (parent, child, "路灯不亮\n补充:现在着火了")
    assert payload["citizen"] == {"name": "张二", "phone": "+8613800138002"}
    assert payload["place"]["address"] == "鸿福路2号"
    assert payload["leading"]["citizen"] == {"name": "王一", "phone": "+8613800138001"}
    assert payload["leading"]["place"]["address"] == "体育路1号"
