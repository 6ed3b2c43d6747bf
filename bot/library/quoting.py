"""What a text quotes between braces, looked at before anything is filled: every such fault at once, by line.

What may enter: what can be known of a text without filling it. Filling it is `bot/library/filling.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import TemplateSyntaxError, nodes
from jinja2.visitor import NodeVisitor

from bot.library.filling import FILTERS, Fault, environment, tree
from bot.toml.shapes import nearest

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping

    from bot.library.facts import Fact

NAMES = ("title", "summary", "starts", "ends", "valid_until", "language")
"""What a text may quote beside `facts` and `community`; some only if the front matter has them."""

COMMUNITY = ("name", "slug", "timezone")


def faults(text: str, values: Mapping[str, object], facts: Mapping[str, Fact], today: dt.date) -> list[Fault]:
    """Everything in `text` that can be known without filling it, in the order of its lines.

    Args:
        text: With `{{ … }}`.
        values: What of `NAMES` there is to quote.
        facts: By name.
        today: The community's day, by which facts expire.
    """
    try:
        reader = _Reader(tree(text), values, facts, today)
    except TemplateSyntaxError as error:
        return [Fault("library.braces", error.lineno, {"reason": error.message or ""})]
    except RecursionError:  # brackets in thousands
        return [Fault("library.braces", 1, {"reason": ""})]
    return sorted(reader.found, key=lambda fault: fault.line)


def quotes(text: str, name: str) -> bool:
    """Whether a text, of which no `faults` are known, quotes one of `NAMES` anywhere."""
    return any(found.name == name for found in tree(text).find_all(nodes.Name))


class _Reader(NodeVisitor):
    """Walks a parsed text once and keeps in `found` what it quotes that is not there."""

    def __init__(
        self, parsed: nodes.Template, values: Mapping[str, object], facts: Mapping[str, Fact], today: dt.date
    ) -> None:
        self.found: list[Fault] = []
        self._facts, self._today = facts, today
        self._given = values.keys() - {"facts", "community"}
        self._own = {name.name for name in parsed.find_all(nodes.Name) if name.ctx != "load"} | {"loop"}
        self._own |= set(_asked(parsed))
        self.visit(parsed)

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802 - jinja2 calls it by the class of the node
        self._quoted(node, (node.name,))

    def visit_Getattr(self, node: nodes.Getattr) -> None:  # noqa: N802 - as above
        self._chain(node)

    def visit_Getitem(self, node: nodes.Getitem) -> None:  # noqa: N802 - as above
        self._chain(node)

    def visit_Filter(self, node: nodes.Filter) -> None:  # noqa: N802 - as above
        if node.name not in environment("es").filters:
            known = nearest(node.name, FILTERS) or ", ".join(FILTERS)
            self._note("library.unknown-filter", node, name=node.name, known=known)
        self.generic_visit(node)

    def _chain(self, node: nodes.Getattr | nodes.Getitem) -> None:
        path = _path(node)
        if path:
            self._quoted(node, path)
        else:
            self.generic_visit(node)

    def _quoted(self, node: nodes.Node, path: tuple[str, ...]) -> None:
        root, rest = path[0], path[1:]
        if root in self._own | self._given:
            return
        if root == "facts":
            self._fact(node, rest)
        elif root in NAMES:
            self._note("library.unset-name", node, name=root)
        elif root != "community" or rest[:1] not in {(name,) for name in COMMUNITY}:
            choices = (*self._given, *(f"community.{name}" for name in COMMUNITY), *_dotted(self._facts))
            self._note(
                "library.unknown-name", node, name=".".join(path), known=_near(".".join(path), choices)
            )

    def _fact(self, node: nodes.Node, path: tuple[str, ...]) -> None:
        fact = next(
            (self._facts[name] for name in (".".join(path), ".".join(path[:-1])) if name in self._facts), None
        )
        rest = path[fact.name.count(".") + 1 :] if fact else path
        if fact is None or rest not in {(), (fact.kind,), ("until",) if fact.until else ()}:
            name = ".".join(("facts", *path))
            self._note("library.unknown-fact", node, name=name, known=_near(name, _dotted(self._facts)))
        elif fact.expired(self._today):
            self._note("library.expired-fact", node, name=f"facts.{fact.name}", until=str(fact.until))

    def _note(self, rule: str, node: nodes.Node, **values: str) -> None:
        self.found.append(Fault(rule, node.lineno, values))


def _path(node: nodes.Expr) -> tuple[str, ...]:
    """`a.b` and `a["b"]` as names; empty when something in it is reckoned."""
    match node:
        case nodes.Name():
            return (node.name,)
        case nodes.Getattr():
            before = _path(node.node)
            return (*before, node.attr) if before else ()
        case nodes.Getitem(arg=nodes.Const(value=str(name))):
            before = _path(node.node)
            return (*before, name) if before else ()
    return ()


def _asked(parsed: nodes.Template) -> Iterator[str]:
    """Names that a text asks for before it uses them: `ends is defined`, `ends | default("")`."""
    for node in parsed.find_all((nodes.Test, nodes.Filter)):
        if node.name in {"defined", "undefined", "default", "d"} and isinstance(node.node, nodes.Name):
            yield node.node.name


def _dotted(facts: Mapping[str, Fact]) -> list[str]:
    return sorted(f"facts.{name}" for name in facts)


def _near(name: str, choices: Iterable[str]) -> str:
    """What was probably meant, else a few of what there is."""
    choices = list(choices)
    return nearest(name, choices) or ", ".join(choices[:5]) or "—"
