"""Back-ups made while the service works, and put back: nobody who left is written to, nobody hears twice."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.deployment import Deployment, connect, deploy, number

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.conftest import Rehearsal

PEOPLE = [("telegram", str(3000 + n), "es", "fresno") for n in range(80)]
PEOPLE += [("sms", number(n), "es", "fresno") for n in range(80)]
LEFT = [("telegram", "3001"), ("telegram", "3079"), ("sms", number(1)), ("sms", number(79))]
ERASED = [("telegram", "3002"), ("sms", number(2))]
BACK = ("telegram", "3003")
NEW = ("telegram", "7001")
SOME_LEFT = (
    "SELECT 1 FROM deliveries WHERE state IN ('sent', 'delivered') GROUP BY 1 = 1 HAVING count(*) > 20"
)
NOTHING_WAITS = "SELECT 1 FROM deliveries GROUP BY 1 = 1 HAVING sum(state IN ('queued', 'claimed')) = 0"
ALL_HEARD = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM inbounds WHERE text IS NOT NULL)"


@pytest.fixture
async def made(tmp_path: Path, rehearsal: Rehearsal) -> Deployment:
    """A hundred and sixty people, and lanes slow enough for a back-up in the middle."""
    made = deploy(tmp_path / "one", rehearsal.url, rate=15)
    who = [*((channel, address) for channel, address, _, _ in PEOPLE), NEW]
    await rehearsal.people(*({"channel": channel, "address": address} for channel, address in who))
    await connect(made, rehearsal)
    await made.take_in(PEOPLE)
    return made


async def announced(rehearsal: Rehearsal, since: int = 0) -> Counter[tuple[str, str]]:
    """How often the vendors took the announcement for each person."""
    rows = await rehearsal.ledger()
    return Counter(
        (row["channel"], row["address"])
        for row in rows[since:]
        if row["outcome"] == "accepted" and ("Vacunas" in row["text"] or "vacunas" in row["text"])
    )


async def words(made: Deployment, rehearsal: Rehearsal, text: str, who: Iterable[tuple[str, str]]) -> None:
    """People write, and are answered."""
    said = made.rows("SELECT count(*) FROM inbounds")[0][0]
    for n, (channel, address) in enumerate(who, 1):
        await rehearsal.say(channel, address, text)
        await made.until(f"SELECT 1 FROM inbounds GROUP BY 1 = 1 HAVING count(*) = {said + n}")  # noqa: S608 - a number
    await made.until(ALL_HEARD)


async def after_the_backup(made: Deployment, rehearsal: Rehearsal) -> None:
    """Some leave, two are erased, one leaves and comes back, and one comes in."""
    await words(made, rehearsal, "BAJA", [*LEFT, ERASED[0], BACK])
    await words(made, rehearsal, "ALTA", [BACK, NEW])
    await words(made, rehearsal, "BORRAR", [ERASED[0]])
    channel, address = ERASED[1]
    assert (await made.do("subscribers", "erase", channel, typed=address + "\n")).status == 0


def sealed(made: Deployment) -> int:
    """How many people there are, by the rows."""
    return int(made.rows("SELECT count(*) FROM subscribers")[0][0])


async def test_the_drill(made: Deployment, rehearsal: Rehearsal) -> None:
    """A back-up in the middle of an announcement is put back: who left is out, who was erased is gone, and
    nothing leaves, not even what the back-up holds as queued, before a person says so.
    """
    copy = made.folder / "respaldo.db"
    async with made.running() as working:
        assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
        await made.until(SOME_LEFT)
        saved = await made.do("backup", "respaldo.db")
        assert (saved.status, "160 personas" in saved.out, "pregonero.key" in saved.out) == (0, True, True)
        assert made.rows("SELECT 1 FROM deliveries WHERE state = 'queued'"), "it was over before the back-up"
        await after_the_backup(made, rehearsal)
        await made.until(NOTHING_WAITS)
        refused = await made.do("restore", "respaldo.db")
        assert (refused.status, "no se cambió nada" in refused.err) == (1, True)
        await working.stop()
    first = await announced(rehearsal)
    assert set(first.values()) == {1}

    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT count(*) FROM deliveries WHERE state = 'queued'").fetchone()[0] > 0
    assert copy.stat().st_mode & 0o777 == 0o600

    restored = await made.do("restore", "respaldo.db")
    assert restored.status == 0, restored.said
    assert "4 personas se dieron de baja" in restored.out
    assert "2 personas pidieron" in restored.out
    assert "NO SE ENVÍA NADA" in restored.err
    assert sealed(made) == len(PEOPLE) - len(ERASED)
    [aside] = made.folder.glob("pregonero.db.replaced-*")
    assert aside.name in restored.out

    ledger = len(await rehearsal.ledger())
    async with made.running() as working:
        armed = await made.do("arm", "--by", "Ana")
        assert (armed.status, "1 aviso iba en camino" in armed.err) == (0, True)
        await made.until("SELECT 1 FROM broadcasts WHERE state = 'paused'")
        assert "puede haber salido ya" in (await made.do("report", "1")).out
        assert (await made.do("announce", "feria", "-c", "fresno", "--again")).status == 0
        await made.until("SELECT 1 FROM broadcasts WHERE id = 2 AND state = 'done'")
        assert (await made.do("cancel", "1")).status == 0
        await working.stop()
    second = await announced(rehearsal, ledger)
    gone = {*LEFT, *ERASED}
    assert second == Counter((channel, at) for channel, at, _, _ in PEOPLE if (channel, at) not in gone)
    assert len(await rehearsal.ledger()) - ledger == second.total()


async def test_what_is_announced_after_a_restore_is_new(made: Deployment, rehearsal: Rehearsal) -> None:
    """Between `restore` and `arm` nobody promises that it leaves; then it does, and is not taken for old."""
    assert (await made.do("announce", "feria", "-c", "fresno")).status == 0
    assert (await made.do("backup", "respaldo.db")).status == 0
    assert (await made.do("restore", "respaldo.db")).status == 0
    new = await made.do("announce", "feria", "-c", "fresno", "--again")
    assert (new.status, "NO SE ENVÍA NADA" in new.err, "los envía" in new.said) == (0, True, False)
    async with made.running() as working:
        armed = await made.do("arm", "--by", "Ana")
        assert (armed.status, "1 aviso iba en camino" in armed.err) == (0, True)
        await made.until("SELECT 1 FROM broadcasts WHERE id = 2 AND state = 'done'")
        assert made.rows("SELECT state FROM broadcasts WHERE id = 1") == [("paused",)]
        await working.stop()
    assert set((await announced(rehearsal)).values()) == {1}


async def test_a_database_that_is_copied_back_by_hand_knows_who_left(
    made: Deployment, rehearsal: Rehearsal
) -> None:
    """Whoever puts the file back without `restore`: who left since is out before anything can leave."""
    async with made.running() as working:
        await made.do("backup", "respaldo.db")
        [(beat,)] = made.rows("SELECT beat FROM arming")
        await after_the_backup(made, rehearsal)
        await made.until(NOTHING_WAITS)
        await made.until(f"SELECT 1 FROM arming WHERE beat > {beat}")  # noqa: S608 - a number
        await working.stop()
    for end in ("-wal", "-shm"):
        (made.folder / f"pregonero.db{end}").unlink(missing_ok=True)
    shutil.copy(made.folder / "respaldo.db", made.folder / "pregonero.db")
    async with made.running() as working:
        assert "respaldo anterior" in (await made.do("report")).err
        armed = await made.do("arm")
        assert (armed.status, "4 personas se dieron de baja" in armed.out) == (0, True)
        assert (await made.do("announce", "feria", "-c", "fresno", "--wait")).status == 0
        await working.stop()
    assert not set(await announced(rehearsal)) & {*LEFT, *ERASED}
    assert BACK in await announced(rehearsal)


async def test_without_the_list_nothing_is_armed(made: Deployment, rehearsal: Rehearsal) -> None:
    """A database in which people have left, moved without the list of who did, is not armed by mistake."""
    async with made.running() as working:
        await words(made, rehearsal, "BAJA", LEFT[:1])
        await made.until(NOTHING_WAITS)
        await working.stop()
    assert (await made.do("backup", "respaldo.db")).status == 0
    (made.folder / "pregonero.db.optouts").unlink()
    restored = await made.do("restore", "respaldo.db")
    assert (restored.status, "FALTA pregonero.db.optouts" in restored.err) == (0, True)
    armed = await made.do("arm")
    assert (armed.status, "--nobody-left" in armed.err) == (1, True)
    assert "NO SE ENVÍA NADA" in (await made.do("report")).err
    assert (await made.do("arm", "--nobody-left")).status == 0
    assert (await made.do("report")).err == ""


async def test_nothing_is_lost_by_a_wrong_file(made: Deployment) -> None:
    """A back-up is not overwritten; one that is damaged, of another program or key, changes nothing."""
    assert (await made.do("backup", "a.db")).status == 0
    kept = (made.folder / "a.db").read_bytes()
    again = await made.do("backup", "a.db")
    assert (again.status, "--replace" in again.err) == (1, True)
    assert (made.folder / "a.db").read_bytes() == kept
    assert (await made.do("backup", "a.db", "--replace")).status == 0
    assert (await made.do("backup", "pregonero.db", "--replace")).status == 1

    (made.folder / "damaged.db").write_bytes(kept[:8192] + b"\xaa" * (len(kept) - 8192))
    made.write("stranger.db", "Esto no es un respaldo. " * 100)
    other = deploy(made.folder.with_name("two"), "http://127.0.0.1:9")
    await other.take_in(PEOPLE[:3])
    assert (await other.do("backup", str(made.folder / "other.db"))).status == 0
    for name in ("damaged.db", "stranger.db", "other.db", "nowhere.db"):
        refused = await made.do("restore", name)
        assert refused.status == 1, name
        assert refused.err, name
    assert sealed(made) == len(PEOPLE)
    assert {file.name for file in made.folder.glob("pregonero.db*")} <= {
        *("pregonero.db", "pregonero.db.lock", "pregonero.db-wal", "pregonero.db-shm", "pregonero.db.armed")
    }
