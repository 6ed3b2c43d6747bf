"""WhatsApp: our small Markdown in WhatsApp's own marks, or an approved template."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Choice, Message, Part, Template
from channels.markdown import Document, parse
from channels.segments import utf16, visible
from channels.whatsapp import render

CONTENT_SID = "HX" + "0123456789abcdef" * 2
BESIDE = "\u200b"

PAIR = re.compile(r"(?<![^\W_])([*_~`])(?![\s\u200b])[^\n]+?(?<![\s\u200b])\1(?![^\W_])")
"""What WhatsApp would take for a pair of marks: at the edges of words, hugging, on one line."""


def written(source: str, title: str = "") -> list[Part]:
    return render(Message(parse(source), title=title), window_open=True)


def text_of(source: str, title: str = "") -> str:
    (part,) = written(source, title)
    return part.text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# Salud\n\nVacunas **gratis** y *sin cita*.", "*Salud*\n\nVacunas *gratis* y _sin cita_."),
        ("# Salud **hoy**", "*Salud hoy*"),
        ("Uno\n\nDos", "Uno\n\nDos"),
        ("***los dos***", "*_los dos_*"),
        ("**uno *dos* tres**", "*uno _dos_ tres*"),
        ("a**b**c", "abc"),
        ("**b**c **d**.", "bc *d*."),
        ("(**b**) ¿**c**?", "(*b*) ¿*c*?"),
        ("**uno  \ndos**", "*uno*\n*dos*"),
        ("**[Cita](https://example.org)**", "*Cita*: https://example.org"),
        ("**https://example.org**", "*https://example.org*"),
        ("**!**", "!"),
        ("- a\n- b\n  1. c\n\n     d\n\nfin", "• a\n• b\n  1. c\n    d\n\nfin"),
        ("> uno\n>\n> dos  \n> tres", "> uno\n\n> dos\n> tres"),
    ],
)
def test_markdown_becomes_whatsapp_marks(source: str, text: str) -> None:
    """Forms get WhatsApp's own; marks hug their words, stay on their line, and are dropped inside a word."""
    assert text_of(source) == text


def test_the_title_is_said_once_in_bold() -> None:
    """The title stands above, unless the text begins with it."""
    assert text_of("Ven.", "Feria  de\nsalud") == "*Feria de salud*\n\nVen."
    assert text_of("## feria de Salud\n\nVen.", "Feria de salud") == "*feria de Salud*\n\nVen."


@pytest.mark.parametrize(
    "source",
    [
        r"\*no negrita\*",
        r"\_ni cursiva\_",
        r"\~ni tachado\~",
        r"\`ni código\`",
        "``` `` ```",
        "~~~\n*a* _b_\n~~~",
    ],
)
def test_the_authors_own_marks_stay_letters(source: str) -> None:
    """What the author meant as an asterisk is seen as an asterisk."""
    assert not PAIR.search(text_of(source))
    assert BESIDE in text_of(source)


@pytest.mark.parametrize("text", ["snake_case_name", "5 * 3 = 15", "5*3*2", "a ~ b"])
def test_harmless_marks_are_left_alone(text: str) -> None:
    """A mark inside a word or between spaces cannot pair, and is sent as it is."""
    assert text_of(text.replace("*", "\\*")) == text


def test_an_address_is_never_broken() -> None:
    """A mark in an address is written as the web writes it; nothing invisible enters a link."""
    assert text_of("<https://example.org/_a_> [x](https://example.org/*b*)") == (
        "https://example.org/%5Fa%5F x: https://example.org/%2Ab%2A"
    )


def test_a_free_part_costs_one() -> None:
    """Inside the window a text is one message of so many UTF-16 units."""
    assert written("Hola 😀") == [Part("Hola 😀", "whatsapp", "utf-16", 7, 1)]


def test_a_long_paragraph_keeps_its_marks_whole() -> None:
    """A bold text longer than a message is bold in each, and no mark stands alone."""
    parts = written("**" + " ".join(["palabra larga."] * 300) + "**")
    assert len(parts) == 3
    assert all(part.text.count("*") == 2 and utf16(part.text) <= 1600 for part in parts)


def test_a_long_text_is_cut_between_paragraphs() -> None:
    """What exceeds Twilio's limit goes in several requests, each beginning with a paragraph."""
    parts = written("\n\n".join(f"Párrafo {number}. " + "palabra " * 60 for number in range(8)))
    assert len(parts) == 3
    assert all(part.text.startswith("Párrafo") for part in parts)


def test_outside_the_window_only_the_template_speaks() -> None:
    """A template part carries its values, one a line for people, with every white space made one."""
    template = Template(CONTENT_SID, {"1": "Feria\n\tde      salud", "2": "10:00\u202fa.m."})
    (part,) = render(Message(parse("Ven."), template=template), window_open=False)
    filled = Template(CONTENT_SID, {"1": "Feria de salud", "2": "10:00 a.m."})
    assert part == Part("Feria de salud\n10:00 a.m.", "template", "utf-16", 25, 1, filled)


TWO = (Choice("Sí", "yes"), Choice("Ahora no, gracias por preguntar", "no"))
MENUS = {2: CONTENT_SID, 4: CONTENT_SID}


def test_two_choices_are_two_buttons() -> None:
    """Within the window a menu carries the text and each title with what it stands for, cut to a button."""
    (part,) = render(Message(parse("¿Vienes  \n*mañana*?"), choices=TWO, menus=MENUS), window_open=True)
    variables = {"1": "¿Vienes _mañana_?", "2": "Sí", "3": "yes", "4": "Ahora no, gracias…", "5": "no"}
    shown = (Choice("Sí", "yes"), Choice("Ahora no, gracias…", "no"))
    assert part == Part(
        "¿Vienes _mañana_?", "template", "utf-16", 17, 1, Template(CONTENT_SID, variables), shown
    )


def test_a_long_text_comes_before_its_buttons() -> None:
    """A line break cannot be said in a menu, so only the last paragraph, with its heading, stands there."""
    source = "# Feria\n\n- vacunas\n- dentista\n\n## Cita\n\n¿Quieres una?"
    first, asking = render(Message(parse(source), choices=TWO, menus=MENUS), window_open=True)
    assert (first.text, first.choices) == ("*Feria*\n\n• vacunas\n• dentista", ())
    assert (asking.text, len(asking.choices)) == ("*Cita* ¿Quieres una?", 2)


@pytest.mark.parametrize(
    ("source", "choices"),
    [
        ("¿Vienes?", (*TWO, Choice("Quizás", "maybe"))),
        ("Elige:\n\n- esto", TWO),
        ("> ¿Vienes?", TWO),
        ("palabra " * 150, TWO),
        (
            "¿Vienes?",
            (Choice("Consulado de México en Fresno", "a"), Choice("Consulado de México en Yuma", "b")),
        ),
        ("¿Vienes?", (Choice("Sí", "a"), Choice("No", "a"))),
    ],
    ids=["no menu of three", "ends in a list", "a quote", "too long", "titles alike", "ids alike"],
)
def test_where_there_is_no_menu_choices_are_numbered(source: str, choices: tuple[Choice, ...]) -> None:
    """What WhatsApp would refuse as buttons is said as numbered lines, and nothing is left out."""
    *_, last = render(Message(parse(source), choices=choices, menus=MENUS), window_open=True)
    assert (last.format, last.template) == ("whatsapp", None)
    lines = [f"{number} {choice.label}" for number, choice in enumerate(choices, start=1)]
    assert last.text.endswith("\n\n" + "\n".join(lines))
    assert last.choices == choices


def test_outside_the_window_nothing_is_asked() -> None:
    """A template that Meta approved has its own words; a menu may not be sent there."""
    message = Message(parse("Ven."), template=Template(CONTENT_SID), choices=TWO, menus=MENUS)
    (part,) = render(message, window_open=False)
    assert part.choices == ()


def test_without_a_template_the_delivery_is_held() -> None:
    """Outside the window, nothing approved means nothing sent."""
    assert render(Message(parse("Ven."), title="Feria"), window_open=False) == []


def test_a_template_without_variables_can_be_seen() -> None:
    """The preview of a fixed template is the title, never a blank."""
    (part,) = render(Message(Document(), title="Feria", template=Template(CONTENT_SID)), window_open=False)
    assert (part.text, part.template) == ("Feria", Template(CONTENT_SID))


def test_a_long_value_fits() -> None:
    """A value longer than Twilio's limit ends in an ellipsis after a whole word."""
    (part,) = render(
        Message(Document(), template=Template(CONTENT_SID, {"1": "sí " * 900})), window_open=False
    )
    assert part.template is not None
    assert part.template.variables["1"].endswith("sí…")
    assert utf16(part.template.variables["1"]) <= 1600


@given(st.text(max_size=4000) | st.text(alphabet="*_~` \n>-1.[]()ab á\u0301😀", max_size=4000))
def test_any_text_can_be_sent(source: str) -> None:
    """No text at all makes rendering fail, or makes a part that Twilio would refuse."""
    for part in written(source, source[:50]):
        assert visible(part.text)
        assert utf16(part.text) <= 1600
        assert part.units == utf16(part.text)


@given(st.text(alphabet="ab *_~`.\n", max_size=60))
def test_plain_words_never_become_marks(text: str) -> None:
    """Text in which Markdown has no look at all has no look on WhatsApp either."""
    fenced = "~~~~~~\n" + text.replace("~~~~~~", "") + "\n~~~~~~"
    for part in written(fenced):
        assert not PAIR.search(part.text)
