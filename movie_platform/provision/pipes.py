"""Pipes whose files say something else now.

A pipe has no ALTER for its COPY: it is drained, paused, replaced, and told to look for what arrived meanwhile
(https://docs.snowflake.com/en/user-guide/data-load-snowpipe-manage, "Recreating pipes"). A replaced pipe knows nothing
of what was loaded before, so it looks at files from the moment of the pause on alone: no row is loaded twice. That
moment stands in the pipe's comment until all of it is done: a deployment that was killed in between goes on from there.
A file whose event S3 is late with by more than the pause is found by the loader's own refresh.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from movie_platform.errors import PlatformError
from movie_platform.provision.sql import SqlFile, execute
from movie_platform.resources.snowflake_connection import query_rows
from movie_platform.waiting import Deadline, Pauses, WaitTimeoutError, wait_until

if TYPE_CHECKING:
    from snowflake.connector import SnowflakeConnection

# Large files that a pipe has begun are loaded to their end.
DRAIN_SECONDS = 600.0
_PAUSES = Pauses(first=1.0, longest=15.0)
_CREATION = re.compile(
    r"CREATE PIPE IF NOT EXISTS (?P<name>\S+)\s(?P<properties>.*?)\bAS\s+(?P<copy>COPY INTO .*)",
    re.DOTALL,
)
_COMMENT = re.compile(r"COMMENT = '(?P<text>(?:[^']|'')*)'")
_MARK = "being replaced; paused at "
_MARKED = re.compile(re.escape(_MARK) + r"(?P<at>[0-9T:.\-]+Z)")


class PipeNotDrainedError(PlatformError):
    """A pipe that was paused to be replaced still had files to load when the time was over."""


def pipes_to_replace(files: Iterable[SqlFile], shown: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Pipes of SHOW PIPES that their file wants otherwise, or whose replacement was cut off, with their statement."""
    present = {f"{row['database_name']}.{row['schema_name']}.{row['name']}".upper(): row for row in shown}
    found: dict[str, str] = {}
    for file in files:
        for statement in file.statements:
            creation = _CREATION.search(statement)
            row = present.get(creation["name"].upper()) if creation is not None else None
            if creation is None or row is None:
                continue
            if not _same(creation, row) or _paused_at(row) is not None:
                found[creation["name"].upper()] = statement[creation.start() :]
    return found


def replace_pipe(
    connection: "SnowflakeConnection",
    name: str,
    statement: str,
    *,
    progress: Callable[[str], None],
    seconds: float = DRAIN_SECONDS,
) -> None:
    """Replaces a pipe by what its file says, with no file missed and none loaded twice; goes on where it was cut off.

    Raises PipeNotDrainedError where it has files to load for longer than `seconds`.
    """
    creation = _CREATION.fullmatch(statement)
    assert creation is not None, "pipes_to_replace gives statements of this form"
    row = _shown(connection, name)
    paused_at = _paused_at(row)
    if paused_at is None or not _same(creation, row):
        progress(f"snowflake: pipe {name} is replaced; waiting until it has loaded what it began")
        paused_at = _drain_and_pause(connection, name, seconds)
        marked = _COMMENT.sub(f"COMMENT = '{_MARK}{paused_at}'", statement)
        execute(connection, marked.replace("CREATE PIPE IF NOT EXISTS", "CREATE OR REPLACE PIPE", 1))
    execute(connection, f"ALTER PIPE {name} REFRESH MODIFIED_AFTER = '{paused_at}'")
    comment = _COMMENT.search(creation["properties"])
    execute(connection, f"ALTER PIPE {name} SET COMMENT = '{comment['text'] if comment else ''}'")


def _drain_and_pause(connection: "SnowflakeConnection", name: str, seconds: float) -> str:
    """Pauses a pipe at a moment at which it has nothing to load; gives that moment, as REFRESH takes it."""
    paused: list[str] = []

    def at_rest() -> bool:
        if _pending(connection, name):
            return False
        moment = _now(connection)
        # One statement: whoever finds the pipe paused for this finds since when.
        execute(connection, f"ALTER PIPE {name} SET PIPE_EXECUTION_PAUSED = TRUE COMMENT = '{_MARK}{moment}'")
        if _pending(connection, name):
            # Something came between the look and the pause, and a paused pipe does not load it.
            execute(connection, f"ALTER PIPE {name} SET PIPE_EXECUTION_PAUSED = FALSE")
            return False
        paused.append(moment)
        return True

    # One that was paused by a deployment that was cut off has to load what came meanwhile.
    execute(connection, f"ALTER PIPE {name} SET PIPE_EXECUTION_PAUSED = FALSE")
    try:
        wait_until(at_rest, f"pipe {name} to be at rest", deadline=Deadline(seconds), pauses=_PAUSES)
    except WaitTimeoutError as late:
        raise PipeNotDrainedError(
            "pipe_not_drained",
            f"The pipe {name} has to be replaced and had files to load at every look for {seconds:g} s.",
            "Provision again when fewer files arrive; the pipe runs on as it was, and nothing is lost.",
        ) from late
    return paused[-1]


def _pending(connection: "SnowflakeConnection", name: str) -> int:
    [row] = query_rows(connection, "SELECT SYSTEM$PIPE_STATUS(%s) AS status", (name,))
    return int(json.loads(str(row["status"])).get("pendingFileCount", 0))


def _same(creation: re.Match[str], row: Mapping[str, Any]) -> bool:
    return _plain(creation["copy"]) == _plain(str(row["definition"]))


def _shown(connection: "SnowflakeConnection", name: str) -> Mapping[str, Any]:
    database, schema, pipe = name.split(".")
    rows = query_rows(connection, f"SHOW PIPES LIKE '{pipe}' IN SCHEMA {database}.{schema}")
    return next(row for row in rows if str(row["name"]).upper() == pipe)


def _paused_at(row: Mapping[str, Any]) -> str | None:
    marked = _MARKED.search(str(row["comment"] or ""))
    return None if marked is None else marked["at"]


def _now(connection: "SnowflakeConnection") -> str:
    [row] = query_rows(connection, 'SELECT TO_CHAR(SYSDATE(), \'YYYY-MM-DD"T"HH24:MI:SS.FF3"Z"\') AS now')
    return str(row["now"])


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(";")
