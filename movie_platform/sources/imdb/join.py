"""The joining of IMDb's files, done by DuckDB within a limit of memory; what does not fit goes to a folder on disk.

Credits are joined with names, sorted by title and made into lists outside: DuckDB's list aggregates keep every list in
memory, while its joins and sorts spill. Lines that are no rows are rejected by its reader and asked for afterwards.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import duckdb
import pyarrow as pa

from movie_platform.raw_rows import RejectedRow
from movie_platform.sources.imdb.credits import DIRECTOR, LIST_COLUMNS, SCHEMA, WRITER, lists_of_titles
from movie_platform.sources.rejections import RAGGED_ROW, ROW_TOO_LONG, UNDECODABLE_ROW, reject
from movie_platform.sources.source_errors import MalformedSource, ProfileError, SourceError, SourceUnavailable
from movie_platform.sources.sql.statement import quote_name

BATCH_ROWS = 50_000
_CREDIT_ROWS = 200_000
_REJECTED_AT_ONCE = 10_000
# Joining scales little beyond, and each thread has buffers of its own.
MOST_THREADS = 4
# As DuckDB writes them in its options.
_LINE_ENDS = {"\n": r"\n", "\r\n": r"\r\n"}
_CODES = {
    "MISSING COLUMNS": RAGGED_ROW,
    "TOO MANY COLUMNS": RAGGED_ROW,
    "INVALID ENCODING": UNDECODABLE_ROW,
    "LINE SIZE OVER MAXIMUM": ROW_TOO_LONG,
}


@dataclass(frozen=True, slots=True)
class TsvFile:
    """One of the files: `path` is free of wildcards, `name` what messages call it, `columns` its header."""

    path: Path
    name: str
    columns: Sequence[str]
    line_end: str
    is_gzip: bool


class ImdbJoin:
    """A database of its own for one extract, which spills to `folder`.

    `files` are named basics, ratings, crew and names. The database has no file: whatever becomes of the process, there
    is nothing to keep, and nothing waits for a disk to have written it.
    """

    def __init__(
        self, folder: Path, files: Mapping[str, TsvFile], *, types: Sequence[str], adult: bool, memory: str
    ) -> None:
        self._files = files
        self._types = list(types)
        self._adult = adult
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": memory,
                "temp_directory": str(folder / "spilled"),
                "preserve_insertion_order": False,
                "threads": min(os.cpu_count() or 1, MOST_THREADS),
                # Nothing is to be loaded from anywhere.
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        # What a command prints is its result alone.
        self._connection.execute("SET enable_progress_bar = false")

    def __enter__(self) -> "ImdbJoin":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def titles(self) -> Iterator[pa.RecordBatch]:
        """The wanted titles with what the other files say of them; bounded batches of strings.

        Raises MalformedSource for a file that cannot be read as a whole, ProfileError where the memory that is
        allowed does not suffice, SourceUnavailable where the disk does not.
        """
        try:
            self._keep_titles()
            self._keep_credits()
            with self._connection.cursor() as cursor:
                lists = ", ".join(f"credits.{quote_name(name)}" for name in LIST_COLUMNS)
                joined = cursor.sql(
                    f"SELECT titles.*, {lists} FROM titles LEFT JOIN credits ON credits.tconst = titles.tconst"  # noqa: S608 - constants
                )
                yield from joined.to_arrow_reader(BATCH_ROWS)
        except duckdb.Error as error:
            raise _typed(error) from error

    def rejected(self) -> Iterator[list[RejectedRow]]:
        """Lines of all files that were no rows, in portions; known once `titles` is exhausted."""
        for name in self._files:
            yield from self._rejected_of(name)

    def _keep_titles(self) -> None:
        columns = ", ".join(f"title.{quote_name(column)}" for column in self._files["basics"].columns)
        more = ", ".join(
            f"rating.{quote_name(column)}" for column in self._files["ratings"].columns if column != "tconst"
        )
        wanted = ["true"]
        if self._types:
            # Names of a fixed list, which the profile was checked against.
            wanted.append("title.titleType IN (" + ", ".join(map(_literal, self._types)) + ")")
        if not self._adult:
            wanted.append("title.isAdult IS DISTINCT FROM '1'")
        self._connection.execute(
            f"CREATE TABLE titles AS SELECT {columns}, {more} FROM {self._scan('basics')} AS title"  # noqa: S608 - names are quoted
            f" LEFT JOIN {self._scan('ratings')} AS rating ON rating.tconst = title.tconst"
            f" WHERE {' AND '.join(wanted)}"
        )

    def _keep_credits(self) -> None:
        """Lists of directors and writers of the wanted titles, through Arrow and back."""
        one_role = (
            "SELECT tconst, {role}::TINYINT AS role, unnest({people}) AS nconst,"
            " generate_subscripts({people}, 1) AS place FROM crew"
        )
        roles = " UNION ALL ".join(
            one_role.format(role=role, people=f"string_split({column}, ',')")
            for role, column in ((DIRECTOR, "directors"), (WRITER, "writers"))
        )
        wanted = "WHERE tconst IN (SELECT tconst FROM titles)" if self._types or not self._adult else ""
        self._connection.execute(
            f"CREATE TABLE crew AS SELECT tconst, directors, writers FROM {self._scan('crew')} {wanted}"  # noqa: S608 - names are quoted
        )
        with self._connection.cursor() as writer:
            sorted_credits = self._connection.sql(
                f"SELECT credit.tconst, credit.role, credit.nconst, person.primaryName AS name FROM ({roles}) AS credit"  # noqa: S608 - constants
                f" LEFT JOIN {self._scan('names')} AS person ON person.nconst = credit.nconst"
                " ORDER BY credit.tconst, credit.role, credit.place"
            ).to_arrow_reader(_CREDIT_ROWS)
            lists = pa.RecordBatchReader.from_batches(SCHEMA, lists_of_titles(iter(sorted_credits)))
            writer.register("lists", lists)
            writer.execute("CREATE TABLE credits AS FROM lists")
            writer.unregister("lists")
        self._connection.execute("DROP TABLE crew")

    def _scan(self, name: str) -> str:
        file = self._files[name]
        columns = ", ".join(f"{_literal(column)}: 'VARCHAR'" for column in file.columns)
        return (
            f"read_csv({_literal(str(file.path))}, auto_detect = false, header = true, delim = '\\t', quote = '',"
            f" escape = '', comment = '', nullstr = '\\N', new_line = {_literal(_LINE_ENDS[file.line_end])},"
            f" compression = '{'gzip' if file.is_gzip else 'none'}', columns = {{{columns}}}, store_rejects = true,"
            f" rejects_table = 'rejected_{name}', rejects_scan = 'scan_{name}')"
        )

    def _rejected_of(self, name: str) -> Iterator[list[RejectedRow]]:
        # Several faults of one line are one rejected row.
        found = self._connection.execute(
            f"SELECT line, any_value(csv_line), any_value(error_type::VARCHAR), any_value(error_message)"  # noqa: S608 - a constant
            f" FROM rejected_{name} GROUP BY line ORDER BY line"
        )
        while rows := found.fetchmany(_REJECTED_AT_ONCE):
            yield [self._reject(name, *row) for row in rows]

    def _reject(self, name: str, line: int, text: str | None, kind: str, message: str) -> RejectedRow:
        code = _CODES.get(kind, RAGGED_ROW)
        return reject(line, (text or "").lstrip("\r\n"), code, f"{self._files[name].name}: {message}")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _typed(error: duckdb.Error) -> SourceError:
    text = str(error).strip()
    if isinstance(error, duckdb.OutOfMemoryException):
        return ProfileError(
            f"joining the files needs more than the profile's `memory`, or more disk than is free; raise it: {text}"
        )
    if "No space left" in text:
        return SourceUnavailable(f"the temporary folder (TMPDIR) has no room for joining the files: {text}")
    if isinstance(error, duckdb.InvalidInputException | duckdb.IOException | duckdb.ConversionException):
        return MalformedSource(
            f"one of the files cannot be read to its end; fetch it again, and see whether a line holds a bare "
            f"carriage return: {text}"
        )
    return SourceUnavailable(f"joining the files failed: {text}")
