"""Ticket numbers: unique in form, and every single misread digit is found."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.ids import CHANNEL_DIGITS, is_ticket_number, ticket_number
from hotline.terms import Channel

numbers = st.builds(
    ticket_number, st.just("DG"), st.dates(date(2024, 1, 1), date(2099, 12, 31)), st.sampled_from(Channel),
    st.integers(0, 20_000_000),
)


@given(numbers)
def test_a_number_is_well_formed(number: str) -> None:
    assert is_ticket_number(number)


@given(numbers, st.data())
def test_every_single_wrong_digit_is_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(number) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))
    assert not is_ticket_number(number[:place] + digit + number[place + 1 :])


def test_the_parts_stand_where_people_look_for_them() -> None:
    number = ticket_number("DG", date(2026, 11, 21), Channel.WEB, 42)
    assert number.startswith("DG20261121" + "3" + "000042")
    assert len(number) == len("DG202611213000042") + 1
    assert set(CHANNEL_DIGITS) == set(Channel)


@pytest.mark.parametrize(
    "text", ["", "DG", "dg20261121300004200", "DG2026112130000420x", "DG202611213000042１", "DG" + "0" * 400]
)
def test_nonsense_is_no_number(text: str) -> None:
    assert not is_ticket_number(text)
