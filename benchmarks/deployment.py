"""The deployment that is measured: real files, a real database, people that cannot exist.

What may enter: writing it into a scratch folder, reading it as the commands do, filling it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from bot import check, vault
from bot.broadcasts.wanted import Wanted
from bot.store import sql

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bot.app import App
    from bot.check import Project
    from bot.store import Transaction
    from channels.base import ChannelName

Measured = Literal["telegram", "sms"]
MEASURED: tuple[Measured, ...] = ("telegram", "sms")
"""The channels whose lanes are measured; WhatsApp's requests are those of SMS."""
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
ACCOUNT = "AC" + "0" * 32
TOKEN = "5:benchmark"
NUMBER = "+12025550100"
_TEMPLATE = "HX" + "0" * 32
_BATCH = 20_000

BODIES = {
    "es": """\
La Semana de Salud empieza el lunes. Es para ti y para **toda tu familia**, con papeles o sin ellos.

- **Exámenes** para saber cómo estás.
- **Vacunas** para grandes y chicos.
- **Consejos** para cuidarte mejor.

No necesitas cita. Llega temprano y trae una identificación, si la tienes. Nadie debe cobrarte.
""",
    "en": """\
Health Week starts on Monday. It is for you and **your whole family**, with papers or without.

- **Check-ups** to know how you are.
- **Vaccines** for grown-ups and children.
- **Advice** to take better care of yourself.

You need no appointment. Come early and bring an ID, if you have one. Nobody may charge you.
""",
}
_FRONT = """\
+++
title = "{title}"
sms = "{sms}"
whatsapp = {{ template = "{template}", category = "utility", variables = {{ 1 = "{title}" }} }}
+++
"""
_TITLES = {"es": "Semana de Salud para todos", "en": "Health Week for everybody"}
_SMS = {
    "es": "Semana de Salud: empieza el lunes. Pruebas y vacunas gratis para todos, sin cita.",
    "en": "Health Week starts on Monday. Check-ups and vaccines, free for all, no appointment.",
}
_SENDERS = {
    "telegram": 'channel = "telegram"\nupdates = "webhook"\ntoken = { file = "token" }\n',
    "sms": (
        f'channel = "sms"\naccount_sid = "{ACCOUNT}"\nauth_token = {{ file = "token" }}\nfrom = "{NUMBER}"\n'
    ),
    "whatsapp": (
        f'channel = "whatsapp"\naccount_sid = "{ACCOUNT}"\nauth_token = {{ file = "token" }}\n'
        'from = "+12025550101"\n'
    ),
}


def write(folder: Path, channels: Sequence[ChannelName], api_base: str, port: int = 8080) -> None:
    """Write a deployment with one sender per channel, each without a limit that could be felt.

    Args:
        port: Where its webhooks are, if it is to hear anything.
    """
    for language in ("es", "en"):
        text = folder / "content" / "announcements" / "salud" / f"{language}.md"
        text.parent.mkdir(parents=True, exist_ok=True)
        front = _FRONT.format(title=_TITLES[language], sms=_SMS[language], template=_TEMPLATE)
        text.write_text(front + BODIES[language])
    (folder / "content" / "facts.toml").write_text("")
    (folder / "schedules").mkdir(exist_ok=True)
    (folder / "schedules" / "plaza.toml").write_text(
        'name = "Plaza"\ntimezone = "America/Phoenix"\nlanguages = ["es", "en"]\n'
        f'senders = {list(channels)!r}\nquiet_hours = "none"\n'
    )
    (folder / "token").write_text(TOKEN)
    if not (folder / "key").exists():
        vault.write_key(folder / "key")
    senders = "".join(
        f'[senders.{name}]\n{_SENDERS[name]}rate = 1000000\napi_base = "{api_base}"\n' for name in channels
    )
    (folder / "config.toml").write_text(
        '[database]\nurl = "sqlite:///people.db"\n[vault]\nkey = { file = "key" }\n'
        f'[web]\nport = {port}\npublic_url = "http://127.0.0.1:{port}"\n{senders}'
    )


def read(folder: Path) -> Project:
    """Read it as every command does."""
    project, findings = check.read(folder / "config.toml", {}, NOW)
    if project is None or any(one.level == "error" for one in findings):
        raise ValueError(f"the benchmark's own deployment is wrong: {findings}")
    return project


async def fill(app: App, people: int, channels: Sequence[ChannelName]) -> None:
    """Write down people, spread evenly over the channels and two languages, their addresses sealed.

    Only the subscribers' rows: an import also keeps a ledger, which no broadcast reads.
    """
    seal = vault.Vault(app.project.settings.vault_key.get_secret_value()).seal
    statement = sql.SUBSCRIBER_IMPORT.partition("RETURNING")[0]
    for first in range(0, people, _BATCH):
        batch = [_person(n, channels, seal) for n in range(first, min(first + _BATCH, people))]
        await app.store.write(_writing(statement, batch))


def _writing(statement: str, rows: list[dict[str, object]]) -> Callable[[Transaction], None]:
    return lambda tx: tx.each(statement, rows)


async def announce(app: App, moment: str = "once") -> int:
    """Make the broadcast: its texts and a delivery for each person."""
    entry, community = app.project.library.entries["salud"], app.project.communities["plaza"]
    now = app.clockwork.now()
    number = await app.broadcasts.announce(Wanted(entry, community, moment, now), by="bench", now=now)
    if number is None:
        raise ValueError("this moment was already announced")
    return number


def address(channel: ChannelName, number: int) -> str:
    """Of a person who cannot exist: no area code begins with 0."""
    return str(9_000_000_000 + number) if channel == "telegram" else f"+10{number:09}"


def _person(
    number: int, channels: Sequence[ChannelName], seal: Callable[[str, str], bytes]
) -> dict[str, object]:
    channel = channels[number % len(channels)]
    return {
        "channel": channel,
        "address": seal(channel, address(channel, number)),
        "language": ("es", "en")[number // len(channels) % 2],
        "community": "plaza",
        "joined": "2026-11",
        "marketing": None,
    }
