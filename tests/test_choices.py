"""The suite that every channel must pass: whatever is offered can be read, and answered, on each of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import channels
from channels.base import CHANNELS, MOST_CHOICES, ChannelName, Choice, Message, Part
from channels.markdown import Document, parse
from channels.segments import measure, utf16, visible

LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="*_~`%")
"""Marks are WhatsApp's business, and are tested there."""
LABELS = st.text(LETTERS, min_size=1, max_size=80).filter(visible)
VALUES = st.from_regex(r"[!-~]{1,64}", fullmatch=True)
CHOICES = st.lists(st.builds(Choice, LABELS, VALUES, st.booleans()), max_size=MOST_CHOICES).map(tuple)
MENUS = st.dictionaries(st.integers(1, 10), st.just("HX" + "0" * 32))
MESSAGES = st.builds(
    Message,
    st.sampled_from(["¿Cuál?", "Elige:\n\n- una\n- otra", "# Feria\n\nVen.", "palabra " * 190]).map(parse),
    st.sampled_from(["", "Aviso"]),
    choices=CHOICES,
    menus=MENUS,
    fold=st.booleans(),
)

every_channel = pytest.mark.parametrize("channel", CHANNELS)


def written(channel: ChannelName, message: Message) -> list[Part]:
    return channels.render(channel, message, window_open=True)


@every_channel
@given(MESSAGES)
def test_no_choice_is_lost(channel: ChannelName, message: Message) -> None:
    """The last part offers every choice in its order; a place only where the vendor can ask for it."""
    *before, last = written(channel, message)
    wanted = [one for one in message.choices if channel == "telegram" or not one.place]
    assert [(one.value, one.place) for one in last.choices] == [(one.value, one.place) for one in wanted]
    assert not any(part.choices for part in before)


@every_channel
@given(MESSAGES)
def test_each_choice_can_be_seen(channel: ChannelName, message: Message) -> None:
    """A label stands whole on its button, or on a line of the text behind the number that chooses it."""
    *_, last = written(channel, message)
    for number, choice in enumerate(last.choices, start=1):
        assert choice.label.strip()
        assert len(choice.label.splitlines()) == 1
        if channel == "sms" or last.format == "whatsapp":
            assert message.fold or f"{number} {choice.label}" in last.text.split("\n")


@every_channel
@given(MESSAGES)
def test_each_vendors_limits_hold(channel: ChannelName, message: Message) -> None:
    """No button, value or text is longer than its vendor takes, and an SMS knows what its choices cost."""
    for part in written(channel, message):
        longest = 40
        if part.template is not None:
            longest = 20 if len(part.choices) <= 3 else 24
            values = list(part.template.variables.values())
            assert values == [part.text, *(word for one in part.choices for word in (one.label, one.value))]
            assert not any(len(value.splitlines()) > 1 for value in values)
            assert len({one.label for one in part.choices}) == len(part.choices) <= 10
        assert utf16(part.text) <= (1024 if part.template else 4096 if channel == "telegram" else 1600)
        assert all(utf16(one.label) <= longest and len(one.value) <= 64 for one in part.choices)
        if channel == "sms":
            assert part.segments == measure(part.text).segments


@every_channel
def test_choices_need_words_above_them(channel: ChannelName) -> None:
    """A message that says nothing offers nothing: no vendor takes buttons alone."""
    assert written(channel, Message(Document(), choices=(Choice("Sí", "yes"),))) == []


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("", "a"),
        (" \u200b", "a"),
        ("Sí", ""),
        ("Sí", "á"),
        ("Sí", "a" * 65),
        ("Sí", "a\nb"),
        ("Sí", " a"),
        ("Sí", "a  b"),
    ],
)
def test_a_choice_that_some_vendor_would_refuse_is_none(label: str, value: str) -> None:
    """What cannot be read or sent everywhere is found when it is made, not when it is sent."""
    with pytest.raises(ValueError, match="a choice needs"):
        Choice(label, value)


def test_more_choices_than_anybody_reads_are_refused() -> None:
    """A message with more choices than fit is a fault of ours, found when it is made."""
    with pytest.raises(ValueError, match="at most"):
        Message(Document(), choices=(Choice("Sí", "yes"),) * (MOST_CHOICES + 1))
