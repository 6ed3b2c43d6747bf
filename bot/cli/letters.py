"""A thread and its letters, as rows of JSON and in words people use."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from bot import languages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.check import Project
    from bot.cli.desk import Desk
    from bot.inbox import Letter, Reply, Thread
    from bot.rendering import Rendered

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What a stranger could write to move the cursor of whoever reads it, or to write over other lines."""

_COLUMNS = ("reference", "kind", "community", "state", "reply", "days")


def as_row(thread: Thread) -> dict[str, object]:
    """What is promised of a thread. `waits`: the person wrote last, and it is open. Times are UTC."""
    return {
        "reference": thread.reference,
        "community": thread.community,
        "kind": thread.kind,
        "state": thread.state,
        "channel": thread.channel,
        "language": thread.language,
        "waits": thread.waits,
        "written_at": thread.written_at.isoformat(),
        "reply": _reply_row(thread.reply),
        "closed_at": thread.closed_at.isoformat() if thread.closed_at else None,
    }


def letter_row(letter: Letter) -> dict[str, object]:
    """What is promised of a letter."""
    return {
        "author": letter.author,
        "text": letter.text,
        "written_at": letter.written_at.isoformat(),
        "reply": _reply_row(letter.reply),
    }


def _reply_row(reply: Reply | None) -> dict[str, object] | None:
    if reply is None:
        return None
    return {"state": reply.state, "reason": reply.reason, "due_at": reply.due_at.isoformat()}


def show_list(desk: Desk, project: Project, threads: Sequence[Thread]) -> None:
    """Each thread on a line: how it stands, and since how many days."""
    say = desk.phrases.say
    rows = [
        (
            thread.reference,
            say(f"inbox.{thread.kind}"),
            desk.place(project, thread.community),
            _state(desk, thread),
            say("inbox.waits") if thread.waits else _how_far(desk, thread.reply),
            str((desk.now - thread.written_at).days),
        )
        for thread in threads
    ]
    desk.table([say(f"inbox.columns.{name}") for name in _COLUMNS], rows)


def show(desk: Desk, project: Project, thread: Thread, letters: Sequence[Letter]) -> None:
    """A thread from its first letter to its last."""
    say = desk.phrases.say
    head = (
        thread.reference,
        say(f"inbox.{thread.kind}"),
        desk.place(project, thread.community),
        say(f"channel.{thread.channel}"),
        languages.autonym(thread.language),
        _state(desk, thread),
    )
    desk.console.print(" · ".join(head), style="bold", markup=False)
    for letter in letters:
        when = _moment(desk, project, thread, letter.written_at)
        far = _how_far(desk, letter.reply)
        line = say(f"inbox.{letter.author}", when=when) + (f" · {far}" if far else "")
        desk.console.print(f"\n{line}", style="dim", markup=False)
        desk.console.print(_CONTROLS.sub("", letter.text), markup=False)
    if thread.waits:
        desk.console.print(f"\n{say('inbox.how-to-reply', reference=thread.reference)}", markup=False)


def say_replied(desk: Desk, project: Project, thread: Thread, said: Rendered) -> None:
    """When a reply leaves, or what it waits for, and what it costs."""
    segments = sum(part.segments for part in said.open)
    key, when = "replied", ""
    if thread.reply and thread.reply.state == "held":
        key = "replied-held"
    elif thread.reply and thread.reply.due_at > desk.now:
        key, when = "replied-night", _moment(desk, project, thread, thread.reply.due_at)
    channel = desk.phrases.say(f"channel.{thread.channel}")
    desk.say(f"inbox.{key}", reference=thread.reference, n=segments, channel=channel, when=when)
    if desk.as_json:
        desk.answer(as_row(thread) | {"segments": segments})


def _state(desk: Desk, thread: Thread) -> str:
    state = desk.phrases.say(f"inbox.{thread.state}")
    return desk.phrases.say("inbox.closed", state=state) if thread.closed_at else state


def _how_far(desk: Desk, reply: Reply | None) -> str:
    """What became of a letter of the consulate; nothing of a person's."""
    if reply is None:
        return ""
    reason = desk.phrases.say(f"reasons.{reply.reason}") if reply.reason else ""
    return desk.phrases.say(f"inbox.reply-{reply.state}", reason=reason)


def _moment(desk: Desk, project: Project, thread: Thread, moment: datetime) -> str:
    community = project.communities.get(thread.community)
    return (
        desk.moment(moment, community.zone) if community else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    )
