"""What SMS and WhatsApp share: whatever Markdown is written, every word of it arrives."""

from __future__ import annotations

import json
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from channels import sms, whatsapp
from channels.base import Message, Part
from channels.markdown import parse
from channels.segments import utf16, visible

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES: list[dict[str, str]] = json.loads(
    Path(__file__).with_name("data").joinpath("commonmark.json").read_text(encoding="utf-8")
)["examples"]


class Seen(HTMLParser):
    """The letters and digits a browser would show, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.letters = ""
        self.feed(html)
        self.close()

    def handle_data(self, data: str) -> None:
        self.letters += letters(data)


def letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", text))


@pytest.mark.parametrize("render", [sms.render, whatsapp.render], ids=["sms", "whatsapp"])
@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_commonmark_example_arrives(example: dict[str, str], render: Callable[..., list[Part]]) -> None:
    """No word is lost, and nothing that is blank or too long is sent."""
    parts = render(Message(parse(example["markdown"]), title="Aviso"), window_open=True)
    arrived = iter(letters(unquote("".join(part.text for part in parts))))
    assert all(letter in arrived for letter in Seen(example["html"]).letters)
    assert all(visible(part.text) and utf16(part.text) <= 1600 for part in parts)


@pytest.mark.parametrize("render", [sms.render, whatsapp.render], ids=["sms", "whatsapp"])
@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("[Requisitos](https://example.org/a)", "Requisitos: https://example.org/a"),
        ("[Requisitos:](https://example.org/a)", "Requisitos: https://example.org/a"),
        ("Vea [esto](https://example.org/a), y siga.", "Vea esto: https://example.org/a, y siga."),
        ("[a](https://example.org/a)b", "a: https://example.org/a b"),
        ("sitio<https://example.org/a>", "sitio https://example.org/a"),
        ("<https://example.org/a>", "https://example.org/a"),
        ("[example.org](https://www.example.org/)", "https://www.example.org/"),
        ("[](https://example.org)", "https://example.org"),
        ("[Llame](tel:+15205550100)", "Llame: +15205550100"),
        ("[(520) 555-0100](tel:+15205550100)", "(520) 555-0100"),
        ("[555-0102](tel:+15205550102)", "555-0102: +15205550102"),
        ("[Línea 2](tel:+15205550102)", "Línea 2: +15205550102"),
        ("[Escriba](mailto:ayuda@example.org?subject=Hola)", "Escriba: ayuda@example.org"),
        ("<ayuda@example.org>", "ayuda@example.org"),
        ("![Mapa](https://example.org/m.png)", "Mapa: https://example.org/m.png"),
    ],
)
def test_a_link_shows_where_it_leads(source: str, text: str, render: Callable[..., list[Part]]) -> None:
    """A person can open, dial or write to every link, and reads nothing twice."""
    (part,) = render(Message(parse(source)), window_open=True)
    assert part.text == text


@pytest.mark.parametrize("render", [sms.render, whatsapp.render], ids=["sms", "whatsapp"])
@pytest.mark.parametrize("source", ["", " \n", "\u200b", "***"])
def test_nothing_to_say_is_nothing_sent(source: str, render: Callable[..., list[Part]]) -> None:
    """A text that nobody would see becomes no message at all."""
    assert render(Message(parse(source)), window_open=True) == []
