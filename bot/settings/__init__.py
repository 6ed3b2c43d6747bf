"""config.toml and the environment into one frozen value; every fault at once.

What may enter: what one deployment decides. What a consulate says stands in `content/`, when and to whom in
`schedules/`. A secret is always a reference, never a value, and is never quoted back.
"""

from __future__ import annotations

import hmac
import os
import re
import shlex
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, SecretBytes, SecretStr

from bot.findings import Finding, errors
from bot.settings.values import (
    AnyPrice,
    ApiBase,
    BotName,
    HeaderSecret,
    KeptDays,
    KeySecret,
    MenuSids,
    Number,
    PlainOrSecret,
    PublicUrl,
    Rate,
    Secret,
    ServiceSid,
    SqliteUrl,
    Surroundings,
)
from bot.toml.lines import Key, read_toml
from bot.toml.shapes import Source, Table, shape
from bot.vault import BadKey, Vault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

StaffLanguage = Literal["es", "en"]


class Sender(Table):
    """What every sender has.

    Attributes:
        api_base: Scheme, host and port to call instead of the vendor's (the rehearsal), or None.
        price: What its contract asks; None when config.toml does not say.
    """

    api_base: ApiBase | None = None
    price: AnyPrice | None = None


class Telegram(Sender):
    """A bot.

    Attributes:
        rate: Messages a second. Telegram's own advice is about 30 a second for all chats of a bot; 25
            leaves room for answers to commands that the same token sends elsewhere.
        secret: What Telegram repeats in each webhook's header.
        username: The bot's public name without "@", as its links use it; None when no link is to be made.
    """

    channel: Literal["telegram"]
    token: Secret
    updates: Literal["polling", "webhook"] = "polling"
    secret: HeaderSecret | None = None
    username: BotName | None = None
    rate: Rate = 25

    @property
    def webhook_secret(self) -> SecretStr:
        """`secret`, or one derived from the token: stable over restarts, and of no use to guess the token."""
        derived = hmac.digest(self.token.get_secret_value().encode(), b"pregonero webhook secret", "sha256")
        return self.secret or SecretStr(derived.hex())


class Twilio(Sender):
    """What SMS and WhatsApp share: an account, and exactly one of a number or a messaging service.

    Attributes:
        number: `from`, in E.164.
        messaging_service: `MG` and 32 hexadecimal digits.
    """

    account_sid: PlainOrSecret
    auth_token: Secret
    number: Number | None = Field(default=None, alias="from")
    messaging_service: ServiceSid | None = None


class Sms(Twilio):
    """A telephone number.

    Attributes:
        rate: Messages a second. A US long code sends 1 segment a second (Twilio, error 30001).
    """

    channel: Literal["sms"]
    rate: Rate = 1


class Whatsapp(Twilio):
    """A number on WhatsApp.

    Attributes:
        rate: Messages a second. Meta allows 80 and Twilio's older pages 10 to 50; 20 is accepted by all.
        menu_sids: `menus`: the Content templates that hold buttons, by the number of choices as written.
    """

    channel: Literal["whatsapp"]
    rate: Rate = 20
    menu_sids: MenuSids = Field(default_factory=dict, alias="menus")

    @property
    def menus(self) -> Mapping[int, str]:
        """The `ContentSid` of the menu for each number of choices that has one."""
        return {int(size): sid for size, sid in self.menu_sids.items()}


AnySender = Annotated[Telegram | Sms | Whatsapp, Field(discriminator="channel")]


class Web(Table):
    """Where we listen.

    Attributes:
        public_url: What vendors call, without the last slash; signatures are computed over it.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: PublicUrl | None = None


class Metrics(Table):
    """Where operators and their Prometheus are told how we are: nobody else should reach it."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 9464


class _Database(Table):
    url: SqliteUrl = "sqlite:///pregonero.db"
    keep_days: KeptDays = 7


class _Vault(Table):
    key: KeySecret


class _Config(Table):
    """config.toml, key by key."""

    language: StaffLanguage | None = None
    database: _Database = Field(default_factory=_Database)
    vault: _Vault
    web: Web = Field(default_factory=Web)
    metrics: Metrics | None = None
    senders: dict[str, AnySender] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Settings:
    """One deployment.

    Attributes:
        file: The config file.
        database_path: The SQLite file.
        kept: For how long after a broadcast it is known what became of each person.
        vault_key: The content of the key file; the vault checks its length.
        web: Where we listen.
        metrics: Where we tell operators how we are; None: nowhere.
        senders: By name, in the order of the file.
        language: What staff read.
    """

    file: Path
    database_path: Path
    kept: timedelta
    vault_key: SecretBytes
    web: Web
    metrics: Metrics | None
    senders: Mapping[str, Telegram | Sms | Whatsapp]
    language: StaffLanguage

    @property
    def root(self) -> Path:
        """The folder of the config file; relative paths start here."""
        return self.file.parent

    @property
    def receipted(self) -> tuple[str, ...]:
        """The senders whose vendor tells what became of a message: not Telegram; Twilio where it can."""
        told = self.web.public_url is not None
        return tuple(name for name, sender in self.senders.items() if told and isinstance(sender, Twilio))

    @property
    def content(self) -> Path:
        """What is said."""
        return self.root / "content"

    @property
    def schedules(self) -> Path:
        """When, how and to whom."""
        return self.root / "schedules"


def load(path: Path, environ: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """Read a deployment's config.

    Args:
        path: config.toml.
        environ: The environment, for `{ env = "…" }` and the language.

    Returns:
        The settings, or None when there is an error; and everything that is wrong, in the order of the file.
    """
    value, text, findings = read_toml(path)
    if value is None:
        return None, findings
    source = Source(path, text, value)
    config, findings = shape(_Config, source, Surroundings(path.parent, environ))
    findings += [*_together(source), *_readable_by_others(source), *_wrong_key(source, config)]
    findings.sort(key=lambda finding: finding.line)
    if config is None or errors(findings):
        return None, findings
    return Settings(
        file=path,
        database_path=path.parent / config.database.url.removeprefix("sqlite:///"),
        kept=timedelta(days=config.database.keep_days),
        vault_key=SecretBytes(config.vault.key.get_secret_value().encode()),
        web=config.web,
        metrics=config.metrics,
        senders=config.senders,
        language=config.language or staff_language(environ),
    ), findings


def staff_language(environ: Mapping[str, str]) -> StaffLanguage:
    """What staff read where no config says it: English when the machine speaks English, else Spanish."""
    spoken = (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "en" if next(filter(None, spoken), "").lower().startswith("en") else "es"


def _tables(source: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """The senders' tables as they were written, for rules that need two keys at once."""
    senders = source.value.get("senders")
    if isinstance(senders, dict):
        yield from ((name, table) for name, table in senders.items() if isinstance(table, dict))


def _together(source: Source) -> Iterator[Finding]:
    """What no key shows alone; looked at in the raw file, so that it is said together with the rest."""
    web = source.value.get("web")
    public = isinstance(web, dict) and "public_url" in web
    for name, table in _tables(source):
        path: Key = ("senders", name)
        if not re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]*", name):
            yield source.finding("settings.sender-name", path)
        if str(table.get("channel")) in {"sms", "whatsapp"} and ("from" in table) == (
            "messaging_service" in table
        ):
            yield source.finding("settings.from-or-service", path)
        if table.get("updates") == "webhook" and not public:
            yield source.finding("settings.no-public-url", (*path, "updates"))


def _readable_by_others(source: Source) -> Iterator[Finding]:
    """Files of secrets whose mode lets others read: an error for the key, which opens every address."""
    vault = source.value.get("vault")
    references: list[tuple[Key, object]] = [
        (("senders", name, key), value) for name, table in _tables(source) for key, value in table.items()
    ]
    if isinstance(vault, dict):
        references.append((("vault", "key"), vault.get("key")))
    for path, value in references:
        name = value.get("file") if isinstance(value, dict) else None
        file = source.file.parent / name if isinstance(name, str) else None
        if os.name == "nt" or file is None or not file.is_file() or not file.stat().st_mode & 0o077:
            continue
        finding = source.finding("settings.readable-by-others", path, file=shlex.quote(str(file)))
        yield finding if path[0] == "vault" else replace(finding, level="warning")


def _wrong_key(source: Source, config: _Config | None) -> Iterator[Finding]:
    """A key file that holds something else; only the vault can tell."""
    try:
        if config:
            Vault(config.vault.key.get_secret_value())
    except BadKey:
        yield source.finding("settings.not-a-key", ("vault", "key"))
