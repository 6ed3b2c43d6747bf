"""How single values of config.toml are written, and what is wrong with one.

What may enter: what can be judged of one value alone. A secret is always a reference, never a value; here it
is followed, and nowhere is it quoted back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

from bot.settings.prices import Price, read_price
from bot.toml.shapes import wrong

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a reference to a secret is looked up in."""

    root: Path
    environ: Mapping[str, str] = field(repr=False)


def _secret(value: object, info: ValidationInfo) -> str:
    """Follow `{ env = "…" }` or `{ file = "…" }`.

    Not even the name that was written is quoted when it leads nowhere: it may be the secret itself, written
    in the wrong place.
    """
    surroundings: Surroundings = info.context  # type: ignore[assignment]  # `load` always gives it
    match value:
        case {"env": str(name), **others} if not others:
            if name not in surroundings.environ:
                raise wrong("settings.secret-unset")
            text = surroundings.environ[name]
        case {"file": str(name), **others} if not others:
            text = _secret_file(surroundings.root / name)
        case str():
            raise wrong("settings.bare-secret")
        case _:
            raise wrong("settings.not-a-reference")
    if not text.strip():
        raise wrong("settings.secret-empty")
    return text.strip()


def _key(value: object, info: ValidationInfo) -> str:
    """As `_secret`; the key is made by us, and by nobody else."""
    try:
        return _secret(value, info)
    except PydanticCustomError as error:
        raise (wrong("settings.key-missing") if error.type == "settings.secret-missing" else error) from None


def _secret_file(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise wrong("settings.secret-missing") from None
    except (OSError, ValueError):  # a folder, no permission, not text, a name no file can have
        raise wrong("settings.secret-unreadable") from None


def _plain_or_secret(value: object, info: ValidationInfo) -> str:
    """An account's number is no secret, but may be kept with the secrets."""
    return value.strip() if isinstance(value, str) and value.strip() else _secret(value, info)


def _web_address(value: str) -> str:
    """An http(s) URL without query, user or fragment; without the last slash."""
    try:
        parts = urlsplit(value)
        good = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"[\s?#@]", value):
        raise wrong("settings.not-url")
    return value.rstrip("/")


def _vendors_place(value: str) -> str:
    """Scheme, host and port: the vendor's path and query stay."""
    base = _web_address(value)
    if urlsplit(base).path:
        raise wrong("settings.url-with-path")
    return base


def _e164(value: str) -> str:
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        raise wrong("settings.not-e164") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if written != value or not phonenumbers.is_possible_number(number):
        raise wrong("settings.not-e164")
    return value


def _messaging_service(value: str) -> str:
    if not re.fullmatch("MG[0-9a-fA-F]{32}", value):
        raise wrong("settings.not-service")
    return value


def _content_template(value: str) -> str:
    if not re.fullmatch("HX[0-9a-fA-F]{32}", value):
        raise wrong("settings.not-menu")
    return value


def _menu_sizes(value: dict[str, str]) -> dict[str, str]:
    """A list on WhatsApp has at most 10 rows, and one choice is none (Twilio, `twilio/list-picker`)."""
    for size in value:
        if size not in {str(number) for number in range(2, 11)}:
            raise wrong("settings.menu-size", size=size)
    return value


def _bot_name(value: str) -> str:
    """5 to 32 of `A-Z a-z 0-9 _`, as BotFather gives them out, with or without "@"."""
    if not re.fullmatch(r"@?[A-Za-z][A-Za-z0-9_]{4,31}", value):
        raise wrong("settings.bot-name")
    return value.removeprefix("@")


def _header_secret(value: SecretStr) -> SecretStr:
    """Telegram takes 1 to 256 of `A-Z a-z 0-9 _ -` (Bot API, setWebhook)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
        raise wrong("settings.header-secret")
    return value


def _kept_days(value: int) -> int:
    """As GOV.UK Notify lets its services choose."""
    if not 3 <= value <= 90:  # noqa: PLR2004 - the two ends
        raise wrong("settings.keep-days")
    return value


def _sqlite_url(value: str) -> str:
    if re.match("postgres(ql)?(\\+\\w+)?://", value):
        raise wrong("settings.postgresql")
    if not re.fullmatch("sqlite:///[^?#]*[^/?#]", value):
        raise wrong("settings.database")
    return value


Secret = Annotated[SecretStr, BeforeValidator(_secret)]
KeySecret = Annotated[SecretStr, BeforeValidator(_key)]
PlainOrSecret = Annotated[SecretStr, BeforeValidator(_plain_or_secret)]
BotName = Annotated[str, AfterValidator(_bot_name)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
HeaderSecret = Annotated[Secret, AfterValidator(_header_secret)]
PublicUrl = Annotated[str, AfterValidator(_web_address)]
ApiBase = Annotated[str, AfterValidator(_vendors_place)]
Number = Annotated[str, AfterValidator(_e164)]
ServiceSid = Annotated[str, AfterValidator(_messaging_service)]
MenuSids = Annotated[
    dict[str, Annotated[str, AfterValidator(_content_template)]], AfterValidator(_menu_sizes)
]
AnyPrice = Annotated[Price, BeforeValidator(read_price)]
KeptDays = Annotated[int, AfterValidator(_kept_days)]
SqliteUrl = Annotated[str, AfterValidator(_sqlite_url)]
