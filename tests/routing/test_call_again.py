"""What the PBX did not answer is asked for again only while the call still asks for it."""

from __future__ import annotations

import pytest

from routing import call_words as m
from routing.call_again import still_due, undone
from routing.calls import Ear, Role
from tests.routing.test_callflow import Story, handed_on

CITIZEN = m.Join("bridge~c1", ("c1",))
AWAY, MUSIC, QUIET = m.Part("bridge~c1", "c1"), m.Music("c1", on=True), m.Music("c1", on=False)


def due(story: Story, *actions: m.PbxAction) -> list[bool]:
    return [still_due(story.call, action) for action in actions]


def test_who_talks_is_joined_and_who_is_held_hears_music() -> None:
    story = Story().talking()
    agent = m.Join(story.call.bridge, (story.channel(Role.AGENT),))
    assert due(story, CITIZEN, agent, m.Record("bridge~c1", "c1"), QUIET) == [True] * 4
    assert due(story, AWAY, MUSIC) == [False] * 2
    story.tell(m.Hold())
    assert due(story, CITIZEN, QUIET) == [False] * 2
    assert due(story, AWAY, MUSIC, agent) == [True] * 3


def test_who_waits_hears_music_or_what_is_told_and_talks_to_nobody() -> None:
    story = Story().talking().tell(m.Requeue("enterprise"))
    assert due(story, AWAY, MUSIC) == [True] * 2
    assert due(story, CITIZEN, QUIET, m.Record("bridge~c1", "c1")) == [False] * 3
    story.tell(m.Told(("hotline-next",)))
    assert due(story, QUIET, MUSIC, m.Hush("c1", "hotline-next")) == [True, False, False]
    story.tell(m.Played("c1", "hotline-next"))
    assert due(story, m.Hush("c1", "hotline-next"), MUSIC) == [True, True]
    citizen = handed_on().channel(Role.CITIZEN)
    assert due(handed_on(), m.Music(citizen, on=True), MUSIC) == [True, False]


def test_only_who_takes_part_no_more_is_hung_up() -> None:
    story = Story().talking().tell(m.Consult("li", "PJSIP/li"))
    party = story.channel(Role.PARTY)
    assert due(story, m.Hang(party)) == [False]
    assert due(story.tell(m.DropParty()), m.Hang(party)) == [True]


def test_a_supervisor_is_where_their_way_of_hearing_puts_them() -> None:
    story = Story().talking().tell(m.Supervise("chen", "x", Ear.LISTEN)).up(Role.SUPERVISOR)
    leg = story.call.of(Role.SUPERVISOR)
    assert leg is not None
    beside = [m.Snoop(story.channel(Role.AGENT), leg.snoop, False), m.Join("ear~c1", (leg.channel, leg.snoop))]
    within, ended = m.Join("bridge~c1", (leg.channel,)), [m.Hang(leg.snoop), m.Dissolve("ear~c1")]
    assert due(story, *beside, within, *ended) == [True, True, False, False, False]
    story.tell(m.Supervise("chen", "x", Ear.BARGE))
    assert due(story, *beside, within, *ended) == [False, False, True, True, True]


def test_a_step_that_was_written_and_not_carried_out_is_seen_by_who_is_in_which_bridge() -> None:
    story = Story().talking()
    agent, record = story.channel(Role.AGENT), m.Record("bridge~c1", "c1")
    assert undone(story.call, {}) == (QUIET, CITIZEN, m.Join("bridge~c1", (agent,)), record)
    assert undone(story.call, {"bridge~c1": {"c1", agent}}) == (record,)
    story.tell(m.Hold())
    assert undone(story.call, {"bridge~c1": {"c1", agent}}) == (AWAY, MUSIC, record)
    story.tell(m.Resume(), m.Requeue("enterprise"))
    assert undone(story.call, {"bridge~c1": {"c1"}}) == (AWAY, MUSIC)
    assert undone(Story().call, {}) == (), "who is greeted is in no bridge"


def test_a_supervisor_who_was_not_let_listen_yet_is_let() -> None:
    story = Story().talking().tell(m.Supervise("chen", "x", Ear.LISTEN)).up(Role.SUPERVISOR)
    agent, leg = story.channel(Role.AGENT), story.call.of(Role.SUPERVISOR)
    assert leg is not None
    talk = {"bridge~c1": {"c1", agent}}
    assert undone(story.call, talk)[:-1] == (
        m.Snoop(agent, leg.snoop, False), m.Join("ear~c1", (leg.channel, leg.snoop)),
    )
    assert len(undone(story.call, talk | {"ear~c1": {leg.channel, leg.snoop}})) == 1


@pytest.mark.parametrize("action", [m.Dial("x", "PJSIP/x", ""), m.Play("c1", "hotline-greeting")])
def test_nothing_is_rung_or_played_twice(action: m.PbxAction) -> None:
    assert due(Story(), action) == [False]


def test_of_a_call_that_is_over_only_its_end_is_left() -> None:
    for action, left in ((m.Hang("x"), True), (m.Dissolve("bridge~c1"), True), (CITIZEN, False), (MUSIC, False)):
        assert still_due(None, action) is left
