"""A finding: one thing that is wrong in what people write, with where, what and what to write instead.

Whatever reads a file that people edit (settings, library, timetable, an import) returns findings, all of
them at once, and never stops at the first. The sentences stand in `bot/phrases/<language>.toml` under
`[rules]`, so that staff read them in their language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    Attributes:
        rule: Its name, as `library.missing-title`; the key of its sentences.
        file: The file it stands in.
        line: Counted from 1; 0 when it concerns the whole file.
        level: An "error" stops what was asked; a "warning" does not.
        values: What the sentences quote. Never an address, a text of a person or a secret.
    """

    rule: str
    file: Path
    line: int = 0
    level: Level = "error"
    values: Mapping[str, str] = field(default_factory=dict)


class Faults(Exception):  # noqa: N818 - what it carries
    """Something that people wrote cannot be used; carries every finding."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(f"{f.file}:{f.line}: {f.rule}" for f in self.findings))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop what was asked."""
    return [finding for finding in findings if finding.level == "error"]
