"""Text as a phone shows it: a small tree of words and looks, safe to hand to a page as JSON.

A vendor's marks go in, plain values come out; nothing here is HTML, so nothing here can be run.
"""

from __future__ import annotations

import re
from typing import NotRequired, TypedDict

Tree = list["str | Element"]


class Element(TypedDict):
    """Words with a look.

    Attributes:
        tag: `b i u s code pre blockquote spoiler a`, or "" for none; the page knows no other.
        href: With `a`, when it leads somewhere.
    """

    tag: str
    children: list[str | Element]
    href: NotRequired[str]


_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]»”’*_~]")
_OPENS = r"(?:(?<=^)|(?<=[\s(\[¡¿«“\"'*_~—–-]))"
_CLOSES = r"(?=$|[\s.,;:!?)\]»”\"'*_~—–-])"
_MARK = re.compile(
    rf"{_OPENS}(?P<mark>[*_~])(?=\S)(?P<inside>[^\n]+?)(?<=\S)(?P=mark){_CLOSES}", re.MULTILINE
)
_LOOKS = {"*": "b", "_": "i", "~": "s"}


def linked(text: str) -> Tree:
    """Plain text in which web addresses can be pressed, as SMS applications show it."""
    tree: Tree = []
    at = 0
    for found in _LINK.finditer(text):
        tree += filter(None, (text[at : found.start()],))
        tree.append({"tag": "a", "href": found[0], "children": [found[0]]})
        at = found.end()
    tree += filter(None, (text[at:],))
    return tree


def marked(text: str) -> Tree:
    """WhatsApp's `*strong*`, `_emphasis_` and `~struck~`; marks that do not pair stay as they are.

    A web address is found first: what is inside it is never a mark.
    """
    tree: Tree = []
    for node in linked(text):
        tree += _marks(node) if isinstance(node, str) else [node]
    return tree


def _marks(text: str) -> Tree:
    found = _MARK.search(text)
    if found is None:
        return [text] if text else []
    look: Element = {"tag": _LOOKS[found["mark"]], "children": _marks(found["inside"])}
    return [*filter(None, (text[: found.start()],)), look, *_marks(text[found.end() :])]
