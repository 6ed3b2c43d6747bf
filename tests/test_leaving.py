"""Leaving, coming back and being forgotten: in one's own words, and never by mistake."""

from __future__ import annotations

import pytest

from bot.hearing.ear import words
from bot.hearing.wishes import Wishes


@pytest.fixture(scope="module")
def wishes() -> Wishes:
    """What was taught and learned, read once."""
    return Wishes()


OFFICIAL = [
    "STOP",
    "STOPALL",
    "UNSUBSCRIBE",
    "CANCEL",
    "END",
    "QUIT",
    "REVOKE",
    "OPTOUT",
    "ALTO",
    "BAJA",
    "PARAR",
    "CANCELAR",
    "SALIR",
    "ARRET",
]


@pytest.mark.parametrize("word", OFFICIAL)
@pytest.mark.parametrize(
    "around", ["{}", "{}.", " {}!!! ", "{} 🙏", "{} por favor", "please {}", "{}, gracias", "{} thank you"]
)
def test_the_words_of_the_rules_are_obeyed(wishes: Wishes, word: str, around: str) -> None:
    """Twilio's, CTIA's and the FCC's words, and Spanish's, in any case, with politeness around them."""
    assert wishes.heard(words(around.format(word))).wish == "leave"
    assert wishes.heard(words(around.format(word.lower()))).wish == "leave"


@pytest.mark.parametrize(
    "text",
    [
        "ya no me manden mensajes",
        "dejen de molestar",
        "ke ya no me manden nada xfavor",
        "ya no kiero recivir sus mensages",
        "quítenme de la lista",
        "please stop texting me",
        "I don't want any more texts",
        "take me off this list",
        "stop mandandome mensajes",
        "buenas tardes quisiera saber como le hago para que ya no me lleguen estos mensajes",
    ],
)
def test_ones_own_words_are_enough(wishes: Wishes, text: str) -> None:
    """No word has to be guessed: Spanish, English, both in one sentence, with slips."""
    assert wishes.heard(words(text)).wish == "leave"


@pytest.mark.parametrize(
    "text",
    [
        "es una enfermedad de alto costo",
        "vivo en Baja California",
        "is there a bus stop near the consulate",
        "abren en fin de semana?",
        "quiero cancelar mi cita",
        "how do i cancel my appointment",
        "quiero dar de baja mi carro",
        "no me llegan los mensajes",
        "no quiero dejar de recibir los avisos",
        "i ran a stop sign",
        "why did you stop sending messages",
        "mi hijo tiene fiebre alta",
    ],
)
def test_the_same_words_in_another_matter_keep_nobody_out(wishes: Wishes, text: str) -> None:
    """A disease of high cost, a peninsula, a bus stop and an appointment are not a wish to leave."""
    assert wishes.heard(words(text)).wish is None


@pytest.mark.parametrize(
    "text", ["numero equivocado", "not interested", "stap", "los voy a reportar como spam"]
)
def test_doubt_is_told_apart(wishes: Wishes, text: str) -> None:
    """What could be taken either way is neither obeyed nor passed over."""
    assert wishes.heard(words(text)).wish == "doubt"


@pytest.mark.parametrize(
    "text",
    [
        "ni de broma me doy de baja",
        "no quiero darme de baja",
        "no me quiero salir",
        "nunca me voy a dar de baja",
        "jamás me salgo de aquí",
        "no me quiten de la lista",
        "no me den de baja",
        "no cancelen mi suscripción",
        "don't unsubscribe me",
        "please do not remove me from the list",
        "i don't want to leave",
    ],
)
def test_leaving_denied_is_not_leaving(wishes: Wishes, text: str) -> None:
    """Who says that they do not want to leave stays; a comma would turn some of it round, so we ask."""
    assert wishes.heard(words(text)).wish == "doubt"


@pytest.mark.parametrize(
    "text",
    [
        "ya no me manden",
        "no quiero mas mensajes",
        "ya no quiero, me doy de baja",
        "no quiero nada denme de baja",
        "no me interesa quiero darme de baja",
        "no puedo darme de baja",
        "no me deja darme de baja",
        "ni un mensaje mas",
        "i don't want this, unsubscribe me",
        "no sirve, borren mi numero",
    ],
)
def test_a_no_beside_it_does_not_deny_leaving(wishes: Wishes, text: str) -> None:
    """What is refused are the messages: they leave."""
    assert wishes.heard(words(text)).wish == "leave"


@pytest.mark.parametrize("text", ["no recibo los avisos", "no estoy recibiendo los mensajes"])
def test_who_complains_that_nothing_arrives_stays(wishes: Wishes, text: str) -> None:
    """They want more of it, not less."""
    assert wishes.heard(words(text)).wish is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("ALTA", "join"),
        ("START", "join"),
        ("/start", "join"),
        ("quiero volver a recibir los avisos", "join"),
        ("BORRAR", "erase"),
        ("borren mis datos", "erase"),
        ("delete everything you have about me", "erase"),
    ],
)
def test_coming_back_and_being_forgotten(wishes: Wishes, text: str, wish: str) -> None:
    """Both are asked for in words, too."""
    assert wishes.heard(words(text)).wish == wish
