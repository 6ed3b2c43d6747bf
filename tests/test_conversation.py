"""What is answered to whom: leaving before all, then a crisis, then what was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from bot import check
from bot.conversation import Asker, Conversation, Writer
from tests.deployment import Deployment, deploy

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def made(tmp_path: Path) -> Deployment:
    """A deployment that also knows what to do when somebody is arrested."""
    made = deploy(tmp_path, "http://127.0.0.1:9")
    made.write(
        "content/services/detencion/es.md",
        '+++\ntitle = "Detención"\nurgency = "emergency"\nkeywords = ["migra", "redada"]\n+++\nNo firmes.\n',
    )
    return made


def talk(made: Deployment, text: str) -> tuple[str, str]:
    """What a text means, and what it is answered."""
    project, _ = check.read(made.folder / "config.toml", {}, NOW)
    assert project is not None
    place = project.communities["fresno"]
    conversation = Conversation(project.library, project.communities)
    answer = conversation.answer(text, Asker(place, "sms", "es"), NOW)
    said = Writer(project.library).write(answer, NOW)
    return answer.intent, said.open[0].text if said else ""


@pytest.mark.parametrize(
    "text",
    [
        "BAJA",
        "baja",
        " Baja. ",
        "¡BAJA!",
        "STOP",
        "stop",
        "Alto",
        "ya no",
        "Salir",
        "unsubscribe",
        "Revoke",
        "OPT-OUT",
    ],
)
def test_leaving_works_in_the_persons_own_words(made: Deployment, text: str) -> None:
    """In Spanish and English, in any case, with whatever stands around: it is leaving, and confirmed."""
    assert talk(made, text) == ("leave", "Ya no te escribimos.")


def test_a_crisis_is_heard_as_one(made: Deployment) -> None:
    """A word of an emergency is answered with the emergency's own text."""
    intent, said = talk(made, "¡Migra!")
    assert (intent, "No firmes" in said) == ("crisis", True)


def test_accents_and_case_do_not_matter(made: Deployment) -> None:
    """People write on telephones: DETENCIÓN, detencion and Detención are one question."""
    assert len({talk(made, text) for text in ("DETENCIÓN", "detencion", "Detencio\u0301n")}) == 1


def test_what_we_do_not_know_we_say(made: Deployment) -> None:
    """Nothing found, nothing written and only marks: the honest answer, never silence."""
    for text in ("unicornio", "", "???", "🦄"):
        intent, said = talk(made, text)
        assert (intent, bool(said)) == ("nothing", True)


def test_an_answer_that_is_no_longer_true_is_not_given(made: Deployment) -> None:
    """A service whose fee has expired is answered with the honest page instead of the old fee."""
    made.write("content/facts.toml", '[fee]\npassport = { USD = 98, until = 2026-12-31, source = "test" }\n')
    made.write(
        "content/services/tarifa/es.md",
        '+++\ntitle = "Tarifa"\n+++\nCuesta {{ facts.fee.passport | money }}.\n',
    )
    intent, said = talk(made, "tarifa")
    assert (intent, "98" in said, bool(said)) == ("entry", False, True)
