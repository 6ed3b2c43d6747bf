"""A strict reader of the HTML that Telegram's Bot API accepts.

The tags, the order of the checks and the words of the refusals follow the server's own reader (TDLib,
`td/telegram/MessageEntity.cpp`, read 2026-11). One thing is stricter on purpose: a named character reference
that Telegram does not know, such as `&nbsp;`, is refused here, while the real one would show its letters
to the person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from channels.rehearsal.rich import Element, Tree

KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("tg-spoiler", "span"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_LOOKS = {
    "bold": "b",
    "italic": "i",
    "underline": "u",
    "strikethrough": "s",
    "text_link": "a",
    "custom_emoji": "",
    "date_time": "",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(
    r"&(?:#[xX](?P<hex>[0-9a-fA-F]{1,8})|#(?P<number>[0-9]{1,8})|(?P<name>[A-Za-z][A-Za-z0-9]*));?"
)
_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE = re.compile(
    r"""\s+(?P<name>[^\s=>]+)(?:\s*=\s*(?:"(?P<two>[^"]*)"|'(?P<one>[^']*)'|(?P<token>[\w.-]+)))?"""
)
_LINK = re.compile(r"(?i)(?:https?|tg|ton)://\S|[\w-]+(?:\.[\w-]+)+(?:[/?#:]|$)")
_ENTITIES = 100
"""Formatting entities honoured in one message; the rest is shown plain (constant of python-telegram-bot)."""


class BrokenHtml(ValueError):  # noqa: N818 - what it is
    """Telegram would answer "can't parse entities"; the message is Telegram's reason."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the person sees.

    Attributes:
        text: Without marks.
        entities: Telegram's own list; offsets and lengths in UTF-16 units.
        tree: The same for the page.
    """

    text: str
    entities: tuple[dict[str, Any], ...]
    tree: Tree


@dataclass(slots=True)
class _Open:
    tag: str
    argument: str
    offset: int
    element: Element


def units(text: str) -> int:
    """The length in UTF-16 units, as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@lru_cache(maxsize=256)
def parse(source: str) -> Parsed:
    """Read `source`.

    Raises:
        BrokenHtml: with the reason, as Telegram words it.
    """
    return _Reader(source).read()


class _Reader:
    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.offset = 0
        self.words: list[str] = []
        self.tree: Tree = []
        self.open: list[_Open] = []
        self.entities: list[dict[str, Any]] = []

    def read(self) -> Parsed:
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self._end_tag()
            elif self.source[self.at] == "<":
                self._start_tag()
            else:
                self._words()
        if self.open:
            raise BrokenHtml(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        self.entities.sort(key=lambda entity: (entity["offset"], -entity["length"]))
        return Parsed("".join(self.words), tuple(self.entities[:_ENTITIES]), self.tree)

    def _refuse(self, reason: str, at: int) -> NoReturn:
        raise BrokenHtml(f"{reason} at byte offset {len(self.source[:at].encode())}")

    def _words(self) -> None:
        end = self.source.find("<", self.at)
        end = len(self.source) if end < 0 else end
        text = self._decoded(self.source[self.at : end], self.at)
        self.at = end
        self.offset += units(text)
        self.words.append(text)
        (self.open[-1].element["children"] if self.open else self.tree).append(text)

    def _decoded(self, text: str, at: int) -> str:
        def letter(found: re.Match[str]) -> str:
            if found["name"]:
                if found["name"] not in _NAMED and found[0].endswith(";"):
                    self._refuse(f'Unsupported named entity "{found[0]}"', at + found.start())
                return _NAMED.get(found["name"], found[0])
            code = int(found["hex"], 16) if found["hex"] else int(found["number"])
            if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - Unicode's surrogates
                raise BrokenHtml("Text contains invalid Unicode characters after decoding HTML entities")
            return chr(code) if 0 < code < 0x10FFFF else found[0]  # noqa: PLR2004 - Unicode's end

        return _REFERENCE.sub(letter, text) if "&" in text else text

    def _start_tag(self) -> None:
        begin = self.at
        name = _NAME.match(self.source, begin + 1)
        tag = name[0].lower() if name else ""
        if self.source.find(">", begin) < 0:
            self._refuse("Unclosed start tag", begin)
        if tag not in KINDS:
            self._refuse(f'Unsupported start tag "{tag}"', begin)
        self.at = begin + 1 + len(tag)
        argument = self._argument(tag, begin)
        if tag == "span" and argument != "tg-spoiler":
            self._refuse('Tag "span" must have class "tg-spoiler"', begin)
        element: Element = {"tag": _LOOKS.get(KINDS[tag], KINDS[tag]), "children": []}
        if tag == "a" and _LINK.match(argument):
            element["href"] = argument
        (self.open[-1].element["children"] if self.open else self.tree).append(element)
        self.open.append(_Open(tag, argument, self.offset, element))

    def _argument(self, tag: str, begin: int) -> str:
        """Read the attributes up to ">"; the value of the one that matters for `tag`."""
        argument = ""
        while found := _ATTRIBUTE.match(self.source, self.at):
            values = [found[group] for group in ("two", "one", "token") if found[group] is not None]
            if not values and (tag, found["name"]) != ("blockquote", "expandable"):
                self._refuse(f'Expected equal sign in declaration of an attribute of the tag "{tag}"', begin)
            if found["name"] in {"href", "class", "emoji-id", "unix"} and values:
                argument = self._decoded(values[0], found.start())
            self.at = found.end()
        rest = re.compile(r"\s*>").match(self.source, self.at)
        if rest is None:
            self._refuse("Unclosed start tag", begin)
        self.at = rest.end()
        return argument

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            self._refuse("Unexpected end tag", begin)
        found = re.compile(r"</([^\s>]*)\s*>").match(self.source, begin)
        if found is None:
            self._refuse("Unclosed end tag", begin)
        last, tag = self.open.pop(), found[1].lower()
        if tag and tag != last.tag:
            where = len(self.source[:begin].encode())
            raise BrokenHtml(
                f'Unmatched end tag at byte offset {where}, expected "</{last.tag}>", found "</{tag}>"'
            )
        self.at = found.end()
        self._entity(last)

    def _entity(self, closed: _Open) -> None:
        length = self.offset - closed.offset
        if not length or (closed.tag == "a" and "href" not in closed.element):
            return  # Telegram drops empty ones, and links that lead nowhere
        entity: dict[str, Any] = {"type": KINDS[closed.tag], "offset": closed.offset, "length": length}
        if closed.tag == "a":
            entity["url"] = closed.argument
        if closed.tag == "code" and closed.argument.startswith("language-"):
            entity["language"] = closed.argument.removeprefix("language-")
        self.entities.append(entity)
