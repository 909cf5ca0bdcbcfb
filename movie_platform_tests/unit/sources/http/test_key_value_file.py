"""The file that answers are kept in: whole after a kill, bounded, expiring, begun anew when it is damaged."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from movie_platform.sources.http.key_value_file import KeyValueFile
from movie_platform_tests.paths import ROOT

HOUR = 3600.0
PUTTING_WITHOUT_END = """
import sys
from pathlib import Path
from movie_platform.sources.http.key_value_file import KeyValueFile
file = KeyValueFile(Path(sys.argv[1]), seconds=3600, max_bytes=10**9)
for number in range(10**9):
    file.put(b"%d" % number, b"%d" % number * 500)
    print(number, flush=True)
"""


def key(number: int) -> bytes:
    return number.to_bytes(32)


def value(number: int, size: int = 2000) -> bytes:
    return random.Random(number).randbytes(size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "c.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[KeyValueFile]:
    opened = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    yield opened
    opened.close()


def bytes_in_use(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        pages, free, size = (
            connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return (pages - free) * size


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM key_values").fetchone()[0]


def test_a_value_is_kept_under_its_key_and_replaced_by_the_next(file: KeyValueFile, path: Path) -> None:
    file.put(b"a", b"1")
    file.put(b"b", b"")
    file.put(b"a", b"2\0")
    assert (file.get(b"a"), file.get(b"b"), file.get(b"c")) == (b"2\0", b"", None)
    assert (file.holds(b"a"), file.holds(b"b"), file.holds(b"c")) == (True, True, False)
    assert count(path) == 2


def test_nothing_is_written_before_the_first_use(file: KeyValueFile, path: Path) -> None:
    assert not path.parent.exists()
    assert file.get(b"a") is None
    assert path.exists()


def test_threads_and_processes_may_use_it_at_once(path: Path) -> None:
    files = [KeyValueFile(path, seconds=HOUR, max_bytes=10**9) for _ in range(2)]
    missed: list[int] = []

    def use(first: int) -> None:
        own = files[first % 2]
        for number in range(first, 400, 8):
            own.put(key(number), value(number))
            if own.get(key(number)) != value(number):
                missed.append(number)

    threads = [threading.Thread(target=use, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert missed == []
    assert all(files[0].get(key(number)) == value(number) for number in range(400))
    for opened in files:
        opened.close()


def test_what_has_expired_is_not_found_and_makes_room(path: Path) -> None:
    brief = KeyValueFile(path, seconds=0.3, max_bytes=10**9)
    for number in range(150):
        brief.put(key(number), b"x")
    brief.close()
    time.sleep(0.3)
    lasting = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    assert lasting.get(key(149)) is None
    assert not lasting.holds(key(149))
    lasting.put(key(1000), b"y")
    lasting.put(key(1001), b"y")
    assert lasting.get(key(1000)) == b"y"
    lasting.close()
    assert count(path) == 2


def test_the_oldest_go_first_and_the_file_never_holds_more_than_it_may(path: Path) -> None:
    most = 300_000
    file = KeyValueFile(path, seconds=HOUR, max_bytes=most)
    sizes = random.Random(7)
    kept_at_most = 0
    for number in range(400):
        file.put(key(number), value(number, sizes.choice((100, 2_000, 30_000))))
        if number == 200:
            # What is put again is among the newest.
            file.put(key(195), b"again")
        assert bytes_in_use(path) <= most
        kept_at_most = max(kept_at_most, count(path))
        kept = [n for n in range(number + 1) if file.holds(key(n)) and n != 195]
        assert kept == [n for n in range(kept[0], number + 1) if n != 195]
        if number >= 200 and kept[0] <= 200:
            assert file.holds(key(195))
    assert kept_at_most > 20
    file.close()
    # Pages are used again: beside what is kept there is the log of one transaction.
    assert path.stat().st_size < 2 * most


def test_a_value_larger_than_the_bound_costs_nothing_that_is_kept(path: Path) -> None:
    file = KeyValueFile(path, seconds=HOUR, max_bytes=100_000)
    file.put(b"small", b"1")
    file.put(b"large", bytes(100_001))
    assert file.get(b"large") is None
    assert file.get(b"small") == b"1"
    file.close()


def test_a_lower_bound_holds_from_the_next_value_on(path: Path) -> None:
    before = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    for number in range(300):
        before.put(key(number), value(number))
    before.close()
    after = KeyValueFile(path, seconds=HOUR, max_bytes=100_000)
    after.put(key(300), value(300))
    assert bytes_in_use(path) <= 100_000
    assert after.get(key(300)) == value(300)
    assert after.get(key(299)) == value(299)
    assert after.get(key(0)) is None
    after.close()


@pytest.mark.parametrize("bound", [10**9, 18_000_000], ids=["with room", "at its bound"])
def test_a_value_costs_the_same_however_many_are_kept(path: Path, bound: int) -> None:
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    file.put(b"a", b"")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO key_values (key, expires, value) VALUES (?, ?, ?)",
            [(key(number), time.time() + HOUR, bytes(800)) for number in range(20_000)],
        )
    file.close()
    file = KeyValueFile(path, seconds=HOUR, max_bytes=bound)
    # The first one makes the room that a lower bound asks for.
    file.put(b"b", bytes(800))
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    assert file._connection is not None
    # A thousand instructions of SQLite's machine a step: looking through the table would take hundreds.
    file._connection.set_progress_handler(step, 1000)
    before = count(path)
    for number in range(20):
        file.put(b"c%d" % number, bytes(800))
        assert file.holds(b"c%d" % number)
    file.close()
    assert steps < 20
    assert (count(path) == before + 20) is (bound == 10**9)


def test_what_was_put_before_a_process_is_killed_is_there_and_whole(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PUTTING_WITHOUT_END, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "200\n":
                os.kill(process.pid, signal.SIGKILL)
                break
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    assert all(file.get(b"%d" % number) == b"%d" % number * 500 for number in range(201))
    file.put(b"after", b"1")
    file.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def full(path: Path) -> None:
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    for number in range(300):
        file.put(key(number), value(number))
    file.close()


def no_database(path: Path) -> None:
    path.write_bytes(b"not a database, but longer than the header of one" * 100)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 3)


def overwritten(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:] = random.Random(3).randbytes(len(content) - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [no_database, cut, overwritten])
def test_a_damaged_file_is_begun_anew(path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    full(path)
    assert callable(damage)
    damage(path)
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    for number in range(300):
        assert file.get(key(number)) in (None, value(number))
    for number in range(300):
        file.put(key(number), value(number))
    assert all(file.get(key(number)) == value(number) for number in range(300))
    file.close()
    assert "damaged" in caplog.text
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_log_of_a_damaged_file_does_not_reach_the_new_one(path: Path, tmp_path: Path) -> None:
    full(path)
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    file.put(key(300), value(300))
    # As after a kill: what was put last is in the log alone.
    killed = tmp_path / "killed" / path.name
    shutil.copytree(path.parent, killed.parent)
    file.close()
    assert killed.with_name(f"{path.name}-wal").stat().st_size > 0
    overwritten(killed)
    file = KeyValueFile(killed, seconds=HOUR, max_bytes=10**9)
    for number in range(301):
        file.put(key(number), value(number))
    assert all(file.get(key(number)) == value(number) for number in range(301))
    file.close()
    assert [name.name for name in killed.parent.iterdir()] == [path.name]
    with closing(sqlite3.connect(killed)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_cache_that_an_earlier_version_wrote_is_replaced(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE entries (id BLOB PRIMARY KEY, cache_key BLOB NOT NULL, data BLOB)")
        connection.execute("CREATE TABLE streams (entry_id BLOB NOT NULL, chunk_number INTEGER, data BLOB)")
        connection.execute("CREATE INDEX idx_entries_cache_key ON entries(cache_key)")
        connection.execute("INSERT INTO entries VALUES (x'01', x'02', zeroblob(1000000))")
    file = KeyValueFile(path, seconds=HOUR, max_bytes=500_000)
    assert file.get(b"a") is None
    file.put(b"a", b"1")
    assert file.get(b"a") == b"1"
    file.close()
    assert path.stat().st_size < 100_000


def test_a_database_that_holds_something_else_as_well_is_left_as_it_is(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE spent (requests INTEGER)")
        connection.execute("INSERT INTO spent VALUES (7)")
    file = KeyValueFile(path, seconds=HOUR, max_bytes=10**9)
    file.put(b"a", b"1")
    assert file.get(b"a") == b"1"
    file.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT requests FROM spent").fetchone() == (7,)


def test_a_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"no folder")
    file = KeyValueFile(tmp_path / "folder" / "c.sqlite", seconds=HOUR, max_bytes=10**9)
    with pytest.raises(OSError, match="folder"):
        file.put(b"a", b"1")


def test_a_closed_file_stays_closed(file: KeyValueFile) -> None:
    file.put(b"a", b"1")
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.get(b"a")
