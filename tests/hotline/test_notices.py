"""What the citizen is told of each step: everything that the receipt of their message has not told them."""

from __future__ import annotations

import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Appeal, Citizen
from hotline.decide import decide, receive
from hotline.effects import effects_of
from hotline.errors import RuleViolation
from hotline.events import SYSTEM, Actor, Role
from hotline.ids import TicketNumber
from hotline.terms import Channel, RejectReason, Service, Verdict
from tests.cities import NOW, POLICY, STREET_LIGHT

NUMBER = TicketNumber("DG20261120300000015")
AGENT = Actor(Role.AGENT, "li")
FIRE = c.HandOff(services=(Service.FIRE,))
LAMPS = c.Dispatch(lead="城管局")


def told(*commands: c.Command, actor: Actor = AGENT, verdict: Verdict = Verdict.NON_EMERGENCY) -> str:
    """What the citizen is told of the last of the commands on a new ticket, "" for nothing."""
    appeal = Appeal(text="路灯不亮", citizen=Citizen(phone="+8613812345678"))
    triage = msgspec.structs.replace(STREET_LIGHT, verdict=verdict)
    last = receive(number=NUMBER, channel=Channel.POLICE, appeal=appeal, triage=triage, now=NOW, policy=POLICY)
    for command in commands:
        last = decide(last.ticket, command, now=NOW, policy=POLICY, actor=actor)
    return "".join(message.text for message in effects_of(last.ticket, last.event, signature="东莞12345").messages)


@pytest.mark.parametrize("commands", [(FIRE,), (c.Accept(), LAMPS)], ids=["hand_off", "dispatch"])
def test_where_a_person_sends_a_new_ticket_is_told_and_where_intake_does_the_receipt_tells_it(
    commands: tuple[c.Command, ...],
) -> None:
    assert told(*commands) != ""
    assert told(*commands, actor=SYSTEM) == ""


@pytest.mark.parametrize(("command", "words"), [
    (c.Answer(text="已在处置"), "已在处置"), (c.AskInfo(question="几号楼?"), "几号楼?"),
    (c.AddMessage(text="请先离开现场", inbound=False), "请先离开现场"),
    (c.Reject(reason=RejectReason.PETITION), "不予受理"),
])
def test_the_first_word_of_staff_on_an_emergency_that_stayed_with_them_is_told(command: c.Command, words: str) -> None:
    """What came from 110 is never sent back by the machine: an emergency may lie with a person."""
    assert words in told(command, verdict=Verdict.EMERGENCY)


@pytest.mark.parametrize("commands", [
    (c.Answer(text=" "),), (c.AddMessage(text="\n", inbound=False),),
    (c.Accept(), LAMPS, c.Sign(), c.Reply(internal="已换灯泡", public=" ")),
], ids=["answer", "message", "reply"])
def test_words_to_the_citizen_are_not_empty(commands: tuple[c.Command, ...]) -> None:
    """An answer without words would close the matter, and the citizen would hear nothing."""
    with pytest.raises(RuleViolation, match="needs"):
        told(*commands)
