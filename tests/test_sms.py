"""SMS: our small Markdown as plain text that is cheap to send."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Choice, Message, Part
from channels.markdown import Document, parse
from channels.segments import measure, utf16
from channels.sms import render


def written(source: str, title: str = "", *, fold: bool = False) -> list[Part]:
    return render(Message(parse(source), title=title, fold=fold), window_open=False)


def text_of(source: str, title: str = "") -> str:
    (part,) = written(source, title)
    return part.text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# Salud\n\nVacunas **gratis** y *sin cita*.", "Salud\nVacunas gratis y sin cita."),
        ("Traiga:\n\n- acta\n- INE\n\n1. pague\n2. espere", "Traiga:\n- acta\n- INE\n1. pague\n2. espere"),
        ("Uno\ndos  \ntres", "Uno dos\ntres"),
        ("> cita\n\n    codigo\tdos\n\n    tres", "cita\ncodigo dos\ntres"),
        ("[Requisitos](https://example.org/a)", "Requisitos: https://example.org/a"),
        ("[Requisitos:](https://example.org/a)", "Requisitos: https://example.org/a"),
        ("Vea [esto](https://example.org/a), y siga.", "Vea esto: https://example.org/a, y siga."),
        ("[a](https://example.org/a)b", "a: https://example.org/a b"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("sitio<https://example.org/a>", "sitio https://example.org/a"),
        ("[](https://example.org)", "https://example.org"),
        ("[example.org](https://www.example.org/)", "https://www.example.org/"),
        ("[un **sitio** web](https://example.org)", "un sitio web: https://example.org"),
        ("[Llame](tel:+15205550100)", "Llame: +15205550100"),
        ("[520-555-0100](tel:+15205550100)", "520-555-0100"),
        ("[Línea 2](tel:+15205550102)", "Línea 2: +15205550102"),
        ("[Escriba](mailto:ayuda@example.org?subject=Hola)", "Escriba: ayuda@example.org"),
        ("<ayuda@example.org>", "ayuda@example.org"),
        ("![Mapa](https://example.org/m.png)", "Mapa: https://example.org/m.png"),
    ],
)
def test_markdown_becomes_plain_text(source: str, text: str) -> None:
    """Every form of our small Markdown has a good plain form, without a unit to spare."""
    assert text_of(source) == text


@pytest.mark.parametrize(
    ("title", "source", "text"),
    [
        ("Feria", "Ven.", "Feria\nVen."),
        ("Feria de salud", "# Feria  de Salud\n\nVen.", "Feria de Salud\nVen."),
        ("Feria\nde salud", "", "Feria de salud"),
    ],
)
def test_the_title_is_said_once(title: str, source: str, text: str) -> None:
    """The title stands on the first line, unless the text begins with it."""
    assert text_of(source, title) == text


@pytest.mark.parametrize("source", ["", " \n", "\u200b", "***"])
def test_nothing_to_say_is_nothing_sent(source: str) -> None:
    """A text that nobody would see becomes no message at all."""
    assert written(source) == []


def test_the_short_text_is_the_text() -> None:
    """What staff wrote for SMS is sent in their words, composed and with plain line ends."""
    message = Message(parse("largo"), title="T", short=unicodedata.normalize("NFD", " Niños:\r\n- sí "))
    assert [part.text for part in render(message, window_open=True)] == ["Niños:\n- sí"]


def test_a_part_knows_its_cost() -> None:
    """Encoding, units and segments of a part are those of its text."""
    (part,) = written("Información " * 12)
    assert (part.format, part.encoding, part.units, part.segments) == ("text", "ucs-2", 143, 3)


def test_a_community_may_choose_to_fold() -> None:
    """With folding the same text is cheaper; without it every accent arrives."""
    source = "Información para el año nuevo: " * 4
    (plain,), (folded,) = written(source), written(source, fold=True)
    assert "Información" in plain.text
    assert plain.segments == 2
    assert "Informacion" in folded.text
    assert "año" in folded.text
    assert (folded.encoding, folded.segments) == ("gsm-7", 1)


def test_a_long_text_is_cut_between_lines() -> None:
    """What exceeds Twilio's limit goes in several requests, cut at the end of a paragraph."""
    source = "\n\n".join(f"Párrafo {number}. " + "palabra " * 60 for number in range(8))
    parts = written(source)
    assert len(parts) == 3
    assert all(part.text.startswith("Párrafo") and part.text.endswith("palabra") for part in parts)


CHOICES = (Choice("Vacunas  hoy", "v"), Choice("Mi ubicación", "p", place=True), Choice("Información", "i"))


def test_choices_are_numbered_and_paid_for() -> None:
    """What can be answered stands below the text, a number a line; a place cannot be asked for by SMS."""
    (part,) = render(Message(parse("Elige:"), choices=CHOICES), window_open=False)
    assert part.text == "Elige:\n1 Vacunas hoy\n2 Información"
    assert (part.encoding, part.units) == ("ucs-2", len(part.text))
    assert [(one.label, one.value) for one in part.choices] == [("Vacunas hoy", "v"), ("Información", "i")]


def test_choices_are_folded_with_the_text() -> None:
    """A choice is written without its accent where that saves a segment, as the text above it is."""
    (part,) = render(Message(parse("Elige: " + "x" * 60), fold=True, choices=CHOICES), window_open=False)
    assert part.text.endswith("1 Vacunas hoy\n2 Informacion")
    assert (part.encoding, part.segments) == ("gsm-7", 1)


def test_choices_are_never_parted() -> None:
    """When they do not fit below a long text, they go together in a message of their own."""
    message = Message(parse("palabra " * 199), choices=CHOICES)
    assert [part.text[:9] for part in render(message, window_open=False)] == ["palabra p", "1 Vacunas"]


@given(st.text(max_size=4000), st.booleans())
def test_any_text_can_be_sent(source: str, fold: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    """No text at all makes rendering fail, or makes a part that Twilio would refuse."""
    for part in render(Message(parse(source), title=source[:50], fold=fold), window_open=True):
        assert part.text.strip()
        assert utf16(part.text) <= 1600
        assert (part.encoding, part.units, part.segments) == (
            measure(part.text).encoding,
            measure(part.text).units,
            measure(part.text).segments,
        )


def test_a_title_alone_is_a_message() -> None:
    """An announcement may be one line and no body."""
    assert [part.text for part in render(Message(Document(), title="Hoy cerrado"), window_open=False)] == [
        "Hoy cerrado"
    ]
