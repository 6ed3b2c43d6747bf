"""config.toml: what is read, what is refused, and that no secret is ever quoted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings import Settings, Sms, Telegram, Whatsapp, load, staff_language
from bot.toml.lines import line_of
from bot.vault import Vault, write_key
from bot.words import Phrases

if TYPE_CHECKING:
    from pathlib import Path

    from bot.findings import Finding

CANARY = "987654:canary-of-a-token"

GOOD = """
[vault]
key = { file = "pregonero.key" }

[senders.bot]
channel = "telegram"
token = { env = "BOT_TOKEN" }

[senders.sms]
channel = "sms"
account_sid = "AC0"
auth_token = { file = "token" }
from = "+12025550100"
"""


def deployment(folder: Path, config: str) -> Path:
    """A folder with a key, a token and this config."""
    if not (folder / "pregonero.key").exists():
        write_key(folder / "pregonero.key")
    (folder / "token").write_text(CANARY + "\n")
    (folder / "token").chmod(0o600)
    file = folder / "config.toml"
    file.write_text(config, encoding="utf-8")
    return file


def read(folder: Path, config: str) -> tuple[Settings | None, list[Finding]]:
    return load(deployment(folder, config), {"BOT_TOKEN": CANARY})


def said(findings: list[Finding]) -> set[tuple[int, str]]:
    assert all(all(Phrases(language).finding(one)) for one in findings for language in ("es", "en"))
    return {(finding.line, finding.rule) for finding in findings}


def test_a_good_config_becomes_one_value(tmp_path: Path) -> None:
    """Secrets are followed, paths start at the config's folder, and what is left out has its default."""
    settings, findings = read(tmp_path, GOOD)
    assert not findings
    assert settings is not None
    assert settings.database_path == tmp_path / "pregonero.db"
    assert (settings.content, settings.schedules) == (tmp_path / "content", tmp_path / "schedules")
    assert Vault(settings.vault_key.get_secret_value())
    bot, sms = settings.senders["bot"], settings.senders["sms"]
    assert isinstance(bot, Telegram)
    assert isinstance(sms, Sms)
    assert (bot.token.get_secret_value(), bot.updates, bot.rate) == (CANARY, "polling", 25)
    assert (sms.auth_token.get_secret_value(), sms.number, sms.rate) == (CANARY, "+12025550100", 1)
    assert (settings.web.host, settings.web.port, settings.web.public_url) == ("127.0.0.1", 8080, None)


def test_operators_have_their_own_door_where_they_want_it(tmp_path: Path) -> None:
    """Without [metrics] nobody is told; with it this machine alone, unless an address is written."""
    settings, _ = read(tmp_path, GOOD)
    assert settings is not None
    assert settings.metrics is None
    settings, findings = read(tmp_path, "[metrics]\n" + GOOD)
    assert not findings
    assert settings is not None
    assert settings.metrics is not None
    assert (settings.metrics.host, settings.metrics.port) == ("127.0.0.1", 9464)
    assert said(read(tmp_path, "[metrics]\nports = 1\n" + GOOD)[1]) == {(2, "toml.unknown-near")}
    assert said(read(tmp_path, "[metrics]\nport = 70000\n" + GOOD)[1]) == {(2, "toml.not-port")}


MENU = "HX" + "0123456789abcdef" * 2
WHATSAPP = """
[senders.whatsapp]
channel = "whatsapp"
account_sid = "AC0"
auth_token = { file = "token" }
from = "+12025550101"
"""


def test_a_whatsapp_sender_knows_its_menus(tmp_path: Path) -> None:
    """Each number of choices has its own menu; a sender without menus is none the worse."""
    for line, menus in ((f'menus = {{ 2 = "{MENU}", 10 = "{MENU}" }}', {2: MENU, 10: MENU}), ("", {})):
        settings, findings = read(tmp_path, GOOD + WHATSAPP + line)
        assert not findings
        assert settings is not None
        whatsapp = settings.senders["whatsapp"]
        assert isinstance(whatsapp, Whatsapp)
        assert whatsapp.menus == menus


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ('menus = { 2 = "HX123" }', "settings.not-menu"),
        (f'menus = {{ 11 = "{MENU}" }}', "settings.menu-size"),
        (f'menus = {{ 1 = "{MENU}" }}', "settings.menu-size"),
        (f'menus = {{ two = "{MENU}" }}', "settings.menu-size"),
        ("menus = { 2 = 3 }", "toml.not-text"),
        (f'menus = "{MENU}"', "toml.not-table"),
    ],
)
def test_a_wrong_menu_is_said(tmp_path: Path, line: str, rule: str) -> None:
    """A menu that WhatsApp cannot have, or that Twilio did not make, is said at its line at check time."""
    settings, findings = read(tmp_path, GOOD + WHATSAPP + line)
    assert settings is None
    assert said(findings) == {(20, rule)}


def test_a_sender_has_the_price_of_its_contract(tmp_path: Path) -> None:
    """By the segment or by the message, to the digit; none where none is written."""
    settings, findings = read(tmp_path, GOOD + 'price = { currency = "USD", segment = 0.0079 }\n')
    assert (settings is not None, findings) == (True, [])
    assert settings is not None
    price = settings.senders["sms"].price
    assert price is not None
    assert str(price.of(messages=1000, segments=3000)) == "23.7000"
    assert settings.senders["bot"].price is None


@pytest.mark.parametrize(
    "price",
    [
        "0.0079",
        '{ currency = "USD" }',
        "{ segment = 1 }",
        '{ currency = "usd", segment = 1 }',
        '{ currency = "USD", segment = "1" }',
        '{ currency = "USD", segment = true }',
        '{ currency = "USD", segment = -1 }',
        '{ currency = "USD", segment = nan }',
        '{ currency = "USD", segment = 1, message = 1 }',
        '{ currency = "USD", each = 1 }',
    ],
)
def test_a_wrong_price_is_said(tmp_path: Path, price: str) -> None:
    """What is no price of a contract is said at its line, and nothing is reckoned with it."""
    settings, findings = read(tmp_path, GOOD + f"price = {price}\n")
    assert settings is None
    assert said(findings) == {(14, "settings.price")}


def test_every_fault_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    """A config with many faults is mended in one round, not one fault a run."""
    settings, findings = read(
        tmp_path,
        """lenguage = "es"
[database]
url = "postgresql://host/base"
[vault]
key = { file = "nowhere.key" }
[web]
port = 90000
public_url = "avisos.example.org"
[senders.bot]
channel = "telegram"
token = { env = "NOT_SET" }
updates = "webhok"
rate = 0
[senders.sms]
channel = "sms"
auth_token = "written here"
from = "2025550100"
messaging_service = "MG1"
api_base = "http://127.0.0.1:9000/path"
[senders.fax]
channel = "fax"
""",
    )
    assert settings is None
    assert said(findings) == {
        (1, "toml.unknown-near"),
        (3, "settings.postgresql"),
        (5, "settings.key-missing"),
        (7, "toml.not-port"),
        (8, "settings.not-url"),
        (11, "settings.secret-unset"),
        (12, "toml.choice"),
        (13, "toml.not-positive"),
        (14, "toml.missing"),
        (14, "settings.from-or-service"),
        (16, "settings.bare-secret"),
        (17, "settings.not-e164"),
        (18, "settings.not-service"),
        (19, "settings.url-with-path"),
        (21, "toml.choice"),
    }


@pytest.mark.parametrize(
    "token",
    [
        f'"{CANARY}"',
        f'{{ env = "{CANARY}" }}',
        f'{{ file = "{CANARY}" }}',
        f'{{ env = "BOT_TOKEN", file = "{CANARY}" }}',
        f'["{CANARY}"]',
        f'{{ "{CANARY}" = 1 }}',
    ],
)
def test_a_secret_in_the_wrong_place_is_not_quoted(tmp_path: Path, token: str) -> None:
    """Someone who pastes a token where its name belongs does not see it again in a report or a log."""
    settings, findings = read(tmp_path, GOOD.replace('{ env = "BOT_TOKEN" }', token))
    assert settings is None
    assert [finding.line for finding in findings] == [7]
    assert CANARY not in repr(findings)


def test_no_secret_shows_when_settings_are_printed(tmp_path: Path) -> None:
    """A stray print or traceback of the settings holds no token and no key."""
    settings, _ = read(tmp_path, GOOD)
    assert settings is not None
    shown = repr(settings) + str(settings.senders)
    assert CANARY not in shown
    assert settings.vault_key.get_secret_value().decode() not in shown


@pytest.mark.parametrize("content", ["", " \n\t"])
def test_an_empty_secret_is_no_secret(tmp_path: Path, content: str) -> None:
    """An empty file or variable is said at check time, not by the vendor's refusal at night."""
    settings, findings = load(deployment(tmp_path, GOOD), {"BOT_TOKEN": content})
    assert settings is None
    assert said(findings) == {(7, "settings.secret-empty")}


def test_a_key_that_others_can_read_stops_the_start(tmp_path: Path) -> None:
    """The key opens every address, so its file may not be open to others; a token's file only warns."""
    file = deployment(tmp_path, GOOD)
    (tmp_path / "token").chmod(0o644)
    settings, findings = load(file, {"BOT_TOKEN": CANARY})
    assert settings is not None
    assert [(finding.rule, finding.level) for finding in findings] == [
        ("settings.readable-by-others", "warning")
    ]
    assert str(tmp_path / "token") in Phrases("es").finding(findings[0])[1]
    (tmp_path / "pregonero.key").chmod(0o640)
    settings, findings = load(file, {"BOT_TOKEN": CANARY})
    assert settings is None
    assert [finding.level for finding in findings] == ["error", "warning"]


def test_a_key_file_must_hold_a_key(tmp_path: Path) -> None:
    """A key that is none is said at check time, not after the first subscriber was sealed with it."""
    file = deployment(tmp_path, GOOD)
    (tmp_path / "pregonero.key").write_text("not a key")
    settings, findings = load(file, {"BOT_TOKEN": CANARY})
    assert settings is None
    assert said(findings) == {(3, "settings.not-a-key")}


def test_a_webhook_needs_the_address_that_vendors_call(tmp_path: Path) -> None:
    """A bot that waits for webhooks without a public URL would hear nobody."""
    webhook = GOOD.replace('channel = "telegram"', 'channel = "telegram"\nupdates = "webhook"')
    _, findings = read(tmp_path, webhook)
    assert said(findings) == {(7, "settings.no-public-url")}
    settings, findings = read(tmp_path, '[web]\npublic_url = "https://avisos.example.org/"\n' + webhook)
    assert not findings
    assert settings is not None
    assert settings.web.public_url == "https://avisos.example.org"


def test_a_webhook_secret_is_derived_and_lasting(tmp_path: Path) -> None:
    """Without one in the config, Telegram gets one that survives a restart and hides the token."""
    first, _ = read(tmp_path, GOOD)
    again, _ = read(tmp_path, GOOD)
    assert first is not None
    assert again is not None
    bot, restarted = first.senders["bot"], again.senders["bot"]
    assert isinstance(bot, Telegram)
    assert isinstance(restarted, Telegram)
    secret = bot.webhook_secret.get_secret_value()
    assert secret == restarted.webhook_secret.get_secret_value()
    assert 32 <= len(secret) <= 256
    assert secret.isalnum()
    assert CANARY not in secret


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"[vault\n", "toml.syntax"),
        (b"a = 1\na = 2\n", "toml.repeated-key"),
        ("language = “es”\n".encode(), "toml.curly-quotes"),
        (b"language = 'espa\xf1ol'\n", "toml.not-utf8"),
    ],
)
def test_a_file_that_is_no_toml_is_said_with_its_line(tmp_path: Path, content: bytes, rule: str) -> None:
    """What a word processor or an old editor leaves behind is named, with the line to look at."""
    file = tmp_path / "config.toml"
    file.write_bytes(b"# first line\n" + content)
    settings, findings = load(file, {})
    assert settings is None
    assert said(findings) <= {(2, rule), (3, rule)}
    assert findings


def test_a_missing_config_is_one_finding(tmp_path: Path) -> None:
    """A wrong --config path is said, not raised."""
    settings, findings = load(tmp_path / "config.toml", {})
    assert settings is None
    assert said(findings) == {(0, "toml.missing-file")}


def test_a_file_from_a_windows_editor_is_read(tmp_path: Path) -> None:
    """A byte order mark and Windows line ends are no fault, and lines are counted the same."""
    file = deployment(tmp_path, GOOD)
    file.write_bytes(b"\xef\xbb\xbf" + (GOOD + "rate = 0\n").replace("\n", "\r\n").encode())
    _, findings = load(file, {"BOT_TOKEN": CANARY})
    assert said(findings) == {(14, "toml.not-positive")}


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "es"),
        ({"LANG": "C.UTF-8"}, "es"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "es_MX.UTF-8", "LANG": "en_US.UTF-8"}, "es"),
    ],
)
def test_staff_read_spanish_unless_the_machine_speaks_english(environ: dict[str, str], language: str) -> None:
    """Findings about a config that cannot be read still come in a language."""
    assert staff_language(environ) == language


def test_a_key_is_found_in_tables_arrays_and_spanning_values() -> None:
    """A finding points at the line a person must change, wherever TOML lets the key stand."""
    text = (
        'a = """\n[[no]]\n"""\n[[slot]]\nat = 1\n[[slot]]\nlist = [\n  1,\n]\n[slot.deep]\nb.c = { d = 1 }\n'
    )
    assert line_of(text, ("slot", 0, "at")) == 5
    assert line_of(text, ("slot", 1)) == 6
    assert line_of(text, ("slot", 1, "list", 0)) == 7
    assert line_of(text, ("slot", 1, "deep", "b", "c", "d")) == 11
    assert line_of(text, ("slot", 1, "deep", "missing")) == 10
    assert line_of(text, ("missing",)) == 0


@given(st.lists(st.sampled_from(GOOD.splitlines()), max_size=20), st.text(max_size=30))
def test_no_config_makes_it_fall(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], rest: str
) -> None:
    """Whatever is typed into config.toml ends in settings or in findings, never in a traceback."""
    folder = tmp_path_factory.getbasetemp()
    config = "\n".join([*lines, rest]).encode("utf-8", "surrogatepass")
    file = deployment(folder, "")
    file.write_bytes(config)
    settings, findings = load(file, {})
    assert settings is None
    assert findings
