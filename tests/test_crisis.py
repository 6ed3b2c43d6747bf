"""Danger is heard in people's own words, in the right order, and not where there is none."""

from __future__ import annotations

import pytest

from bot.hearing.crisis import PRECEDENCE, Crises
from bot.hearing.ear import words


@pytest.fixture(scope="module")
def crises() -> Crises:
    """The taught words, read once."""
    return Crises()


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("ayuda mi niña no respira", "emergencia-911"),
        ("ay un ombre con pistola", "emergencia-911"),
        ("ya no kiero vivir", "emergencia-suicidio"),
        ("todo seria mejor si yo no estuviera", "emergencia-suicidio"),
        ("mi marido me pega", "emergencia-violencia"),
        ("i was raped last night", "emergencia-violencia"),
        ("nos tienen encerados en una casa i no nos dejan salir", "emergencia-trata"),
        ("el contratista me kito el pasaporte", "emergencia-trata"),
        ("me quitaron a mis ijos los del cps", "emergencia-menor"),
        ("mi hermano cruzo ase 4 dias por sasabe y no contesta", "emergencia-desierto"),
        ("ICE ESTA AFUERA DE MI CASA", "emergencia-detencion"),
        ("la migra se llebo a mi papa ase rato 😭", "emergencia-detencion"),
        ("mi patron no me a pagado 3 semanas", "emergencia-trabajo"),
        ("boss says he calls ice if i complain", "emergencia-trabajo"),
    ],
)
def test_danger_is_heard_as_people_write_it(crises: Crises, text: str, slug: str) -> None:
    """Every kind of crisis, in Spanish and English, misspelt, in capitals, without a keyword."""
    assert crises.heard(words(text))[:1] == [slug]


def test_the_most_pressing_comes_first(crises: Crises) -> None:
    """Danger to life, suicide, violence, trafficking, a child, the desert, detention, work: in this order."""
    found = crises.heard(
        words("la migra agarro a mi esposo, el me pega y ya no quiero vivir, no respira mi bebe")
    )
    assert found[:3] == ["emergencia-911", "emergencia-suicidio", "emergencia-violencia"]
    assert found == sorted(found, key=PRECEDENCE.index)


def test_a_threat_with_the_migra_is_what_it_is(crises: Crises) -> None:
    """A husband who threatens with the migra is violence, a boss who does is abuse at work."""
    assert crises.heard(words("mi marido me pega i me amenasa con la migra"))[0] == "emergencia-violencia"
    assert crises.heard(words("mi jefa me amenaza con la migra si me quejo"))[0] == "emergencia-trabajo"


@pytest.mark.parametrize(
    "text",
    [
        "quiero repatriar a un enfermo",
        "mi hermano esta muy emfermo y quiere irse a morir a su tierra",
        "se murio mi tio y lo keremos mandar a puebla",
        "me muero de hambre",
        "me muero de risa jaja",
        "para matar el tiempo que hay cerca",
        "cita para migracion cuando es",
        "office service notice price police",
        "ice cream at the event?",
        "iced tea, hold the ice",
        "yo ya hice mi cita",
        "vi una pelicula donde el ice se lleva al papa",
        "platica de que hacer en una redada",
        "y si me agarran quien se keda con mis niños?",
        "le van a dar mis datos a la migra?",
        "puedo cruzar con mi perro",
        "me robaron la cartera con mi matricula",
        "me siento bien triste desde q llegue no puedo dormir",
    ],
)
def test_ordinary_messages_are_ordinary(crises: Crises, text: str) -> None:
    """Hunger, laughter, drinks, films, funerals and plans use the same words and are no crisis."""
    assert crises.heard(words(text)) == []


def test_after_a_story_somebodys_own_trouble_is_heard(crises: Crises) -> None:
    """A film is only a film until the person turns to themselves."""
    assert crises.heard(words("vi una pelicula muy triste y me quiero morir")) == ["emergencia-suicidio"]
