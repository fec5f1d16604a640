"""What is told in English: no model reads it, so the rules alone decide, and doubt goes to a person."""

from __future__ import annotations

import pytest

from hotline.terms import Service, Verdict
from tests.triage.test_rules import A, F, P, T, assess, judged
from triage.text import normalise

ENGLISH_ALARMS = [
    ("help, someone is breaking into my house", {P}),
    ("there is a fire in my building", {F}),
    ("HELP! THERE IS A FIRE IN MY KITCHEN", {F}),
    ("I smell gas in the kitchen", {F}),
    ("my wife is unconscious, call an ambulance", {A}),
    ("I can’t breathe", {A}),
    ("Is it safe to leave? there is a fire in the kitchen", {F}),
    ("I want to kill myself, my life is over", {P, A}),
    ("a man with a gun is at the movie theater", {P}),
    ("My husband is beating me every day", {P}),
    ("My house is on fire, one day old baby inside", {F}),
    ("I want to kill myself", {P, A}),
    ("There's a man with a knife in the shop, please come quickly", {P}),
    ("My husband is beating me", {P}),
    ("My son is missing, he is 5 years old", {P}),
    ("someone broke into my apartment and he is still inside", {P}),
    ("My landlord won't let me leave the apartment, he locked me in", {P}),
    ("A girl was hit by a car in front of the mall", {A, T}),
    ("we are stuck in the elevator", {F, A}),
    ("I live in 寮步镇, there is a fire in my building", {F}),
    ("help, smoke is filling our corridor", {F}),
    ("my roommate took a whole bottle of pills and is not responding", {P, A}),
    ("My husband collapsed and he is not responding", {A}),
    ("a child is locked inside a car in the sun", {F, A}),
    ("A woman wants to jump from the bridge", {P, A}),
    ("They are fighting with knives in front of the bar", {P}),
    ("my daughter, 6 years old, is missing since 3 pm", {P}),
    ("I smell gas and feel dizzy, my baby too", {F}),  # a fee is not felt
]
ENGLISH_CALM = [
    "please help me with my residence permit",
    "fire safety certificate",
    "the fire drill last week",
    "there is a fire safety problem in my building",
    "where can I get a fire safety certificate for my shop",
    "The fire exit in my building is blocked, please inspect",
    "My house was on fire last year, how do I get compensation",
    "what if there is a fire in my building? the exit is blocked",
    "no fire in the building, false alarm",
    "I was fired by my company last week and they owe me salary",
    "I was robbed last week, how do I get the police report",
    "The noise at night is killing me",
    "Ambulance fee refund",
    "My landlord refuses to return my deposit, please help!",
    "Hello, the street light in front of my house is broken",
    "where can I ask for the records of my heart attack",
    "I can't find my kid's vaccination record",
    "My passport is missing",
    "fire extinguisher in the hallway expired",
    "The smoke of the barbecue comes in every night",
    "I read in the news about a kidnapping",
    "the gas bill is too high",
    "A cup fell into the seat of the bus",  # which is not the sea
]
ENGLISH_DOUBTS = [
    "our van slid into the canal and is sinking",
    "there are men with iron pipes in front of our shop",
    "She is pregnant and bleeding",
    "fire in dormitory 5, second floor",
    "how do I get out, my car is on fire",
]


@pytest.mark.parametrize(("text", "services"), ENGLISH_ALARMS)
def test_a_cry_for_help_in_english_is_understood_and_stands(text: str, services: set[Service]) -> None:
    found = assess(normalise([text])[0].clean)
    assert (found.verdict, set(found.services), found.certain) == (Verdict.EMERGENCY, services, True)


@pytest.mark.parametrize("text", ENGLISH_CALM)
def test_what_is_asked_for_in_english_is_no_alarm(text: str) -> None:
    assert judged(text) == (Verdict.NON_EMERGENCY, ())


@pytest.mark.parametrize("text", ENGLISH_DOUBTS)
def test_a_single_word_of_danger_in_english_is_asked_about(text: str) -> None:
    """No model reads English: what the rules half understand goes to a person at once, or to nobody."""
    assert judged(text)[0] is Verdict.UNCLEAR


def test_a_single_english_word_in_a_chinese_text_raises_nothing() -> None:
    assert judged("我的Kindle Fire平板坏了，售后不修")[0] is Verdict.NON_EMERGENCY
    assert judged("SOS，我在厨房，着火了")[0] is Verdict.EMERGENCY
