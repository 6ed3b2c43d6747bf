"""Twilio's error table: few codes speak of a person, few of everybody, and each has a word people know."""

from __future__ import annotations

import re

from channels.trouble import Broken, Gone
from channels.twilio_errors import CAUSES, REASONS, answer_trouble

LEFT, GONE = {21610, 63014, 63033}, {21211, 21217, 21614, 30005, 30006, 63003}
STOPS = {
    *(10001, 20003, 20005, 20404, 21212, 21601, 21603, 21606, 21608, 21703, 21704, 21705, 30002, 30032),
    *(30033, 30034, 30035, 57012, 63001, 63002, 63007, 63020, 63026, 63051, 63062, 90010),
}
WAITS = {21655, 21656, 63027, 63028, 63030, 63040, 63041, 63042}


def test_only_codes_about_the_person_change_the_person() -> None:
    """No code that may mean a filter, a carrier or our own mistake ever opts anybody out."""
    assert {code for code, cause in CAUSES.items() if cause.left} == LEFT
    assert {code for code, cause in CAUSES.items() if cause.kind is Gone} == LEFT | GONE


def test_only_codes_about_everybody_stop_the_lane() -> None:
    """A refusal of one message, one template, one country or one carrier never stops all others."""
    assert {code for code, cause in CAUSES.items() if cause.kind is Broken and not cause.text} == STOPS
    assert {code for code, cause in CAUSES.items() if cause.text} == WAITS
    assert all(getattr(answer_trouble(400, code), "text", False) for code in WAITS)


def test_every_reason_is_a_word_of_the_closed_set() -> None:
    """A phrase catalogue that knows `REASONS` can explain every trouble."""
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in REASONS)
    assert {cause.reason for cause in CAUSES.values()} < REASONS
    assert {answer_trouble(status, None).reason for status in range(300, 600)} < REASONS
