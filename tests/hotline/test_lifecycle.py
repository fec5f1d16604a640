"""The whole grid of states and commands: what the table allows happens, everything else is refused by name."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from hotline import commands as c
from hotline.appeal import Appeal
from hotline.decide import decide, receive
from hotline.errors import IllegalTransition
from hotline.extension import EXTENSION_TRANSITIONS, Extension, next_extension
from hotline.ids import TicketId
from hotline.lifecycle import OPEN_STATES, TRANSITIONS, diagram, next_state
from hotline.supervision import Supervision, next_supervision
from hotline.terms import Channel, RejectReason, Service, State
from hotline.ticket import Ticket
from tests.cities import NOW, POLICY, STREET_LIGHT

EXAMPLES: dict[type[c.LifecycleCommand], c.LifecycleCommand] = {
    type(command): command
    for command in (
        c.Accept(), c.Answer(text="已修好"), c.HandOff(services=(Service.POLICE,)),
        c.Reject(reason=RejectReason.LITIGATION), c.Merge(parent=TicketId(1)), c.AskInfo(question="哪条路?"),
        c.SupplyInfo(text="体育路"), c.Resume(text="体育路"), c.Withdraw(), c.Dispatch(lead="城管局"), c.Sign(),
        c.RequestReturn(legal_basis="东莞市派单目录第3条", suggested="水务局"), c.ApproveReturn(),
        c.RefuseReturn(reason="属贵局职责"), c.Arbitrate(), c.Rule(lead="城管局"), c.TakeBack(reason="改派"),
        c.Reply(internal="已修", public="已修好"), c.AcceptReply(), c.RejectReply(reason="未说明"),
        c.SettleFollowUp(solved=True), c.DisputeFollowUp(solved=False), c.Redispatch(),
        c.PoliceReturn(reason="非警情"), c.Close(), c.Reopen(reason="再次出现"), c.Unmerge(), c.Archive(),
    )
}


def in_state(state: State) -> Ticket:
    first = receive(
        number="DG20261120300000015", channel=Channel.WEB, appeal=Appeal(text="路灯不亮"), triage=STREET_LIGHT, now=NOW,
        policy=POLICY,
    ).ticket
    return msgspec.structs.replace(first, state=state, lead="城管局")


def test_every_command_has_an_example() -> None:
    assert set(EXAMPLES) == set(c.LIFECYCLE_COMMANDS)


def test_every_state_and_command_stands_in_the_table() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {command for ways in TRANSITIONS.values() for command in ways} == set(c.LIFECYCLE_COMMANDS)


@pytest.mark.parametrize(("state", "command"), list(itertools.product(State, c.LIFECYCLE_COMMANDS)))
def test_the_grid(state: State, command: type[c.LifecycleCommand]) -> None:
    expected = TRANSITIONS[state].get(command)
    if expected is None:
        with pytest.raises(IllegalTransition, match=f"cannot {c.tag_of(command)}"):
            decide(in_state(state), EXAMPLES[command], now=NOW, policy=POLICY)
    else:
        asked_in = State.HANDLING if command is c.Resume else State.RECEIVED  # an answer leads back to who asked
        start = msgspec.structs.replace(in_state(state), asked_in=asked_in)
        decision = decide(start, EXAMPLES[command], now=NOW, policy=POLICY)
        assert decision.ticket.state is expected is decision.event.state
        assert decision.ticket.version == 2


# The rows of domain.md section 4, written out once more by hand: the table must say the same. Beyond them, by
# docs/decisions/0007: a department asks the citizen too (ask_info, resume), and what was dispatched by itself but not
# signed yet can still be merged; by 0011 the centre, or a neighbour that returns it, takes a ticket back (take_back).
DOMAIN = """
received: accept→pending_dispatch answer→answered hand_off→handed_off reject→rejected merge→merged ask_info→need_info withdraw→withdrawn
need_info: supply_info→received resume→handling withdraw→withdrawn reject→rejected
pending_dispatch: dispatch→pending_sign answer→answered hand_off→handed_off merge→merged reject→rejected withdraw→withdrawn
pending_sign: sign→handling request_return→return_requested hand_off→handed_off merge→merged withdraw→withdrawn take_back→pending_dispatch
return_requested: approve_return→pending_dispatch refuse_return→pending_sign arbitrate→arbitration
arbitration: rule→pending_sign
handling: reply→pending_review ask_info→need_info hand_off→handed_off withdraw→withdrawn take_back→pending_dispatch
pending_review: accept_reply→pending_follow_up reject_reply→handling
answered: close→closed reopen→received
handed_off: police_return→received close→closed
pending_follow_up: settle_follow_up→closed dispute_follow_up→redo
redo: redispatch→pending_sign
closed: archive→archived reopen→received
rejected: archive→archived
withdrawn: archive→archived
merged: archive→archived unmerge→received
archived:
"""  # noqa: E501


def test_the_table_says_what_the_domain_says() -> None:
    written = {}
    for line in DOMAIN.strip().splitlines():
        state, _, ways = line.partition(":")
        written[state] = dict(way.split("→") for way in ways.split())
    table = {state: {c.tag_of(k): after.value for k, after in ways.items()} for state, ways in TRANSITIONS.items()}
    assert table == written


def test_every_state_can_be_reached_and_left_until_archived() -> None:
    reached = {State.RECEIVED} | {after for ways in TRANSITIONS.values() for after in ways.values()}
    assert reached == set(State)
    assert [state for state, ways in TRANSITIONS.items() if not ways] == [State.ARCHIVED]
    assert State.CLOSED not in OPEN_STATES


def test_next_state_names_what_is_possible() -> None:
    with pytest.raises(IllegalTransition, match="possible here: rule"):
        next_state(State.ARBITRATION, c.Sign())


def test_the_diagram_in_docs_is_drawn_from_the_table() -> None:
    from pathlib import Path

    assert diagram() in Path("docs/lifecycle.md").read_text(encoding="utf-8")


EXTENSION_EXAMPLES = (c.RequestExtension(days=2, reason="需开挖"), c.GrantExtension(), c.RefuseExtension(reason="不必"))


@pytest.mark.parametrize(("extension", "command"), list(itertools.product(Extension, EXTENSION_EXAMPLES)))
def test_the_grid_of_extensions(extension: Extension, command: c.RequestExtension) -> None:
    expected = EXTENSION_TRANSITIONS[extension].get(type(command))
    if expected is None:
        with pytest.raises(IllegalTransition):
            next_extension(extension, command)
    else:
        assert next_extension(extension, command) is expected


def test_supervision_climbs_to_three_and_stops() -> None:
    level = Supervision.NONE
    for expected in (Supervision.LEVEL_1, Supervision.LEVEL_2, Supervision.LEVEL_3):
        level = next_supervision(level)
        assert level is expected
    with pytest.raises(IllegalTransition):
        next_supervision(level)
