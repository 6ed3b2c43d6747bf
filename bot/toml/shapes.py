"""A TOML file's value into a frozen shape, and everything wrong with it in our words.

What may enter: what any of our TOML files needs of pydantic. The sentences of pydantic reach nobody; its
kinds of error are mapped onto a few rules of ours. What the keys mean is in the rooms above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticCustomError

from bot.findings import Finding
from bot.toml.lines import Key, line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails


class Table(BaseModel):
    """A table of a file that people write: frozen, without unknown keys, nothing silently converted."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


Shape = TypeVar("Shape", bound=Table)

_RULES = {
    "missing": "toml.missing",
    "union_tag_not_found": "toml.missing",
    "string_type": "toml.not-text",
    "bool_type": "toml.not-yes-or-no",
    "int_type": "toml.not-number",
    "float_type": "toml.not-number",
    "finite_number": "toml.not-positive",
    "greater_than": "toml.not-positive",
    "list_type": "toml.not-list",
    "tuple_type": "toml.not-list",
    "dict_type": "toml.not-table",
    "mapping_type": "toml.not-table",
    "model_type": "toml.not-table",
    "model_attributes_type": "toml.not-table",
    "too_short": "toml.empty",
    "string_too_short": "toml.empty",
}
"""pydantic's kinds of error. Those that depend on more than their kind are in `_finding`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A TOML file that was read.

    Attributes:
        file: Where it is.
        text: What it says, for the lines.
        value: What `tomllib` made of it.
    """

    file: Path
    text: str
    value: dict[str, Any]

    def finding(self, rule: str, path: Key, **values: str) -> Finding:
        """A fault at a key of this file; `{key}` is its name."""
        return Finding(rule, self.file, line_of(self.text, path), values={"key": _named(path), **values})


def wrong(rule: str, **values: str) -> PydanticCustomError:
    """What a validator raises: one of our rules and what its sentences quote. Never a secret."""
    return PydanticCustomError(rule, "", values)


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Which of the choices someone who wrote `word` probably meant."""
    by_folded = {choice.casefold(): choice for choice in choices}
    close = get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[close[0]] if close else None


def shape(model: type[Shape], source: Source, context: object = None) -> tuple[Shape | None, list[Finding]]:
    """Read `source` as `model`: the value, or None and every fault at once."""
    try:
        return model.model_validate(source.value, context=context), []
    except ValidationError as error:
        return None, [_finding(model, source, one) for one in error.errors(include_url=False)]


def _finding(model: type[Table], source: Source, error: ErrorDetails) -> Finding:
    path = _path(source.value, error["loc"])
    context: Mapping[str, Any] = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _unknown(_known(model, error["loc"]), source, path)
        case "literal_error" | "union_tag_invalid":
            choices = str(context.get("expected") or context.get("expected_tags")).replace(" or ", ", ")
            key = (*path, "channel") if error["type"] == "union_tag_invalid" else path
            return source.finding("toml.choice", key, choices=choices.replace("'", ""))
        case "union_tag_not_found":
            return source.finding("toml.missing", (*path, "channel"))
        case "greater_than_equal" | "less_than_equal":
            return source.finding("toml.not-port", path)
        case kind:
            return source.finding(_rule(kind), path, **{name: str(value) for name, value in context.items()})


def _rule(kind: str) -> str:
    """A kind that `wrong` raised is already a rule of ours: it has a dot."""
    return kind if "." in kind else _RULES.get(kind, "toml.wrong-value")


def _path(value: object, location: Iterable[str | int]) -> Key:
    """The location pydantic gives, without the names of the union members it puts in between."""
    path: list[str | int] = []
    steps = list(location)
    for index, step in enumerate(steps):
        inside = (
            step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        )
        if inside:
            value = value[step]  # type: ignore[index]  # `inside` says that it is a dict or a list
            path.append(step)
        elif index == len(steps) - 1:
            path.append(step)
    return tuple(path)


def _unknown(known: list[str], source: Source, path: Key) -> Finding:
    """A key that is not ours, with the one that was probably meant."""
    meant = nearest(str(path[-1]), known)
    if meant:
        return source.finding("toml.unknown-near", path, meant=meant)
    return source.finding("toml.unknown", path, known=", ".join(known))


def _known(model: type[Table], location: tuple[str | int, ...]) -> list[str]:
    """The keys of the table that pydantic's location points into.

    Below a top-level key there are tables of one kind, or of several told apart by `channel`, whose value
    pydantic puts into the location.
    """
    top = model.model_fields.get(str(location[0]))
    kinds = [model] if len(location) == 1 or top is None else list(_tables(top.annotation))
    told_apart = [kind for kind in kinds if location[2] in _channels(kind)] if len(kinds) > 1 else kinds
    return [field.alias or name for kind in told_apart for name, field in kind.model_fields.items()]


def _tables(annotation: object) -> Iterable[type[Table]]:
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables(inner)


def _channels(kind: type[Table]) -> tuple[object, ...]:
    field = kind.model_fields.get("channel")
    return get_args(field.annotation) if field else ()


def _named(path: Key) -> str:
    """A path as people read it: `senders.bot.token`, `slot 2: at`."""
    words = [f"{step + 1}:" if isinstance(step, int) else step for step in path]
    named = ".".join(words).replace(":.", ": ").rstrip(":")
    return re.sub(r"\.(\d)", r" \1", named)
