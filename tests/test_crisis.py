"""Danger is heard in people's own words, in the right order, and not where there is none."""

from __future__ import annotations

import pytest

from bot.hearing.crisis import PRECEDENCE
from bot.hearing.ear import words
from bot.hearing.wishes import Wishes


@pytest.fixture(scope="module")
def wishes() -> Wishes:
    """What was taught and learned, read once."""
    return Wishes()


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
def test_danger_is_heard_as_people_write_it(wishes: Wishes, text: str, slug: str) -> None:
    """Every kind of crisis, in Spanish and English, misspelt, in capitals, without a keyword."""
    assert wishes.heard(words(text)).crises[:1] == (slug,)


def test_the_most_pressing_comes_first(wishes: Wishes) -> None:
    """Danger to life, suicide, violence, trafficking, a child, the desert, detention, work: in this order."""
    found = wishes.heard(words("mi esposo me pega y ya no quiero vivir")).crises
    assert found == ("emergencia-suicidio", "emergencia-violencia")
    assert list(found) == sorted(found, key=PRECEDENCE.index)


def test_a_threat_with_the_migra_is_what_it_is(wishes: Wishes) -> None:
    """A husband who threatens with the migra is violence, a boss who does is abuse at work."""
    husband = wishes.heard(words("mi marido me pega i me amenasa con la migra"))
    boss = wishes.heard(words("mi jefa me amenaza con la migra si me quejo"))
    assert husband.crises[0] == "emergencia-violencia"
    assert "emergencia-trabajo" in boss.crises


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
def test_ordinary_messages_are_ordinary(wishes: Wishes, text: str) -> None:
    """Hunger, laughter, drinks, films, funerals and plans use the same words and are no crisis."""
    assert wishes.heard(words(text)).crises == ()


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("AUXILIO", "emergencia-911"),
        ("911 ayuda", "emergencia-911"),
        ("no respira!!", "emergencia-911"),
        ("suicidio", "emergencia-suicidio"),
        ("me pega 😭", "emergencia-violencia"),
        ("secuestrada", "emergencia-trata"),
        ("CPS", "emergencia-menor"),
        ("sin agua", "emergencia-desierto"),
        ("LA MIGRA", "emergencia-detencion"),
        ("hay redada", "emergencia-detencion"),
        ("wage theft", "emergencia-trabajo"),
    ],
)
def test_one_word_can_be_a_cry(wishes: Wishes, text: str, slug: str) -> None:
    """Who has no breath for more than a word is heard."""
    assert wishes.heard(words(text)).crises == (slug,)


@pytest.mark.parametrize(
    "word", ["patron", "fuego", "agua", "hijo", "abogado", "trabajo", "pasaporte", "me", "hola"]
)
def test_one_word_alone_is_mostly_a_question(wishes: Wishes, word: str) -> None:
    """A word that stands in many cries is none by itself."""
    assert wishes.heard([word]).crises == ()


@pytest.mark.parametrize(
    "text",
    [
        "dejen de mandarme cosas, mi esposa no respira",
        "quitenme de la lista, mi marido me pega cuando ve mensajes",
        "STOP ice is at my house",
    ],
)
def test_who_leaves_in_danger_is_helped_and_let_go(wishes: Wishes, text: str) -> None:
    """Both are heard in one message: the answer to the danger, and that no broadcast may follow."""
    heard = wishes.heard(words(text))
    assert heard.crises
    assert heard.wish == "leave"
