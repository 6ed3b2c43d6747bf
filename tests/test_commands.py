"""What people ask of the service itself."""

from __future__ import annotations

import pytest

from bot import languages
from bot.hearing import ear
from bot.hearing.commands import Command, Commands

COMMANDS = Commands()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("ayuda", "help"),
        ("INFO", "help"),
        ("aidez-moi s'il vous plaît", "help"),
        ("me ajuda por favor", "help"),
        ("mwen bezwen èd", "help"),
        ("xinechpalehui", "help"),
        ("quiero hablar con una persona", "person"),
        ("parler à une personne", "person"),
        ("quero falar com alguém", "person"),
        ("mwen vle pale ak yon moun", "person"),
        ("bom dia", "greeting"),
        ("bonjou", "greeting"),
        ("mèsi", "thanks"),
        ("vincular 482913", "link"),
        ("LINK", "link"),
        ("quiero juntar mis dos teléfonos", "link"),
        ("PREGUNTA ¿puedo ir sin cita?", "question"),
        ("PROPUESTA abran los sábados", "proposal"),
        ("me mudé a Fresno", "community"),
        ("nos mudamos", "community"),
        ("cambiar de consulado", "community"),
        ("ganaste un iphone, entra a bit.ly/x", "spam"),
        ("¿dónde está el consulado de Guatemala?", "foreign"),
        ("english please", "language"),
        ("en otro idioma", "language"),
        ("je ne parle pas espagnol", "language"),
        ("más", "more"),
    ],
)
def test_a_command_is_heard_in_their_own_words(text: str, command: Command) -> None:
    """In Spanish and English; help and a person also in French, Portuguese and Haitian Creole."""
    assert COMMANDS.heard(ear.words(text)) == command


@pytest.mark.parametrize("name", [name for _, name, _ in languages.called().values() if " " not in name])
def test_the_name_of_a_language_asks_for_it(name: str) -> None:
    """Alone, or after `en`; but for the month of mayo."""
    for text in (name, f"en {name}"):
        assert COMMANDS.heard(ear.words(text)) == (None if name == "mayo" else "language")


@pytest.mark.parametrize(
    "text",
    [
        "se mudó mi hijo",
        "me mudo de regreso a México",
        "clases de inglés",
        "para clases de español",
        "quiero pale",
        "necesito una carta poder",
        "la cita es en mayo",
        "quiero mi pasaporte",
    ],
)
def test_a_question_is_not_a_command(text: str) -> None:
    """The same words in another matter ask nothing of the service."""
    assert COMMANDS.heard(ear.words(text)) is None


@pytest.mark.parametrize(
    ("text", "unkind"),
    [("pinche bot no sirve", True), ("fuck you", True), ("gracias", False), ("la cita es el lunes", False)],
)
def test_an_insult_is_told_from_what_is_kind(text: str, unkind: bool) -> None:  # noqa: FBT001 - what is asked for
    """So that it can be answered with decency."""
    assert COMMANDS.unkind(ear.words(text)) is unkind
