"""What is asked of the PBX, whose number a telephone shows that we ring, and whose keys it tells us."""

from __future__ import annotations

import msgspec
import pytest

from channels.ari_codec import decode_event, requests_of, tap_requests
from routing import call_words as m


def asked(action: m.PbxAction) -> dict[str, str]:
    *_, last = requests_of(action, trunk="PJSIP/{number}@trunk", ring=60, caller_id="12345")
    return dict(last.query)


@pytest.mark.parametrize("endpoint", ["outside:+8613800138000", "outside:110"])
def test_citizens_and_desks_are_called_under_the_number_of_the_hotline(endpoint: str) -> None:
    assert asked(m.Dial("citizen~c1~1~x", endpoint, "13800138000"))["callerId"] == "12345"


@pytest.mark.parametrize(("caller", "shown"), [
    ("13800138000", '"+86138****8000" <12345>'), ("+8676922830001", '"+86769****0001" <12345>'),
    ("22830001", '"+86769****0001" <12345>'), ("anonymous", "12345"), ("", "12345"), ("1001", "12345"),
    ('x" <13800138000>', '"+86138****8000" <12345>'), ('x" <1>', "12345"),
])
def test_a_telephone_inside_shows_the_citizens_number_masked_or_not_at_all(caller: str, shown: str) -> None:
    assert asked(m.Dial("agent~c1~1~wang", "PJSIP/wang", caller))["callerId"] == shown


def test_whatever_we_make_at_the_pbx_comes_to_our_own_application() -> None:
    asks = [
        *requests_of(m.Dial("agent~c1~1~wang", "PJSIP/wang", ""), trunk="", ring=60, caller_id="", app="dg"),
        *requests_of(m.Snoop("c1", "s~listen~ear", False), trunk="", ring=60, caller_id="", app="dg"),
        *tap_requests("supervisor~c1~tap~citizen", "c1", "1", sound_to="127.0.0.1:1", app="dg"),
    ]
    assert [ask.query["app"] for ask in asks if "app" in ask.query] == ["dg"] * 4


def test_within_a_talk_nobody_is_told_the_number_of_another() -> None:
    joined = asked(m.Join("bridge~c1", ("c1", "agent~c1~1~wang")))
    assert joined == {"channel": "c1,agent~c1~1~wang", "inhibitConnectedLineUpdates": "true"}


@pytest.mark.parametrize(("channel", "call"), [
    ("c1", "c1"), ("citizen~c1~2~%2B8613800138000", "c1"), ("agent~c1~1~wang", ""), ("party~c1~3~110", ""),
])
def test_keys_count_of_citizens_alone_whoever_called_whom(channel: str, call: str) -> None:
    event = {"type": "ChannelDtmfReceived", "digit": "1", "channel": {"id": channel, "state": "Up"}}
    assert decode_event(msgspec.json.encode(event)) == ((call, m.Digit("1")) if call else None)


@pytest.mark.parametrize("channel", [
    "supervisor~c1~tap~citizen~ear", "supervisor~c1~tap~citizen~out", "supervisor~c1~4~chen~listen~ear",
])
def test_nobody_picks_up_a_channel_by_which_a_call_is_heard(channel: str) -> None:
    started = b'{"type": "StasisStart", "channel": {"id": "%s", "state": "Up"}}' % channel.encode()
    assert decode_event(started) is None
    rung = started.replace(channel.encode(), b"supervisor~c1~4~chen")
    assert decode_event(rung) == ("c1", m.Up("supervisor~c1~4~chen"))
