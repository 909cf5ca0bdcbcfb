"""From a source's columns to the contract's: renaming, the key, `extra`, and what no later hop could carry refused.

Whole columns at a time; no I/O. Values are never changed, but for `null_values` that a profile declares.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

import pyarrow as pa

from movie_platform.contracts.raw import EXTRA, MOVIE_ID
from movie_platform.raw_rows import RejectedRow, RowBatch
from movie_platform.sources.arrow_compute import pc
from movie_platform.sources.json_records import Record, extra_text, value_text
from movie_platform.sources.movie_id import join_key_columns
from movie_platform.sources.profile import Profile
from movie_platform.sources.rejections import NUL_BYTE, UNDECODABLE_ROW, reject
from movie_platform.sources.source_errors import MalformedSource, ProfileError
from movie_platform.sources.suggestions import did_you_mean, listing

BATCH_ROWS = 10_000
_NULL = pa.scalar(None, pa.string())


def check_columns(profile: Profile, available: Sequence[str], *, where: str, hint: str = "") -> None:
    """Raise ProfileError for mapped or key columns that are not available, with the nearest names."""
    repeated = sorted({name for name in available if available.count(name) > 1})
    wanted = {*profile.key, *profile.columns.values()}
    for name in repeated:
        if name in wanted:
            raise MalformedSource(
                f"{where} has more than one column {name!r}, so what the profile means is not clear. Rename one."
            )
    missing = [name for name in profile.required_source_columns() if name not in available]
    if missing:
        faults = " ".join(
            f"There is no column {name!r}, which the profile names for {_uses(profile, name)}."
            f"{did_you_mean(name, available)}"
            for name in missing
        )
        raise ProfileError(f"{where}: {faults} The columns are {listing(available)}.{hint}")


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns with those that were there before told apart by their place: `x`, `x (4)`."""
    distinct: dict[str, None] = {}
    for number, name in enumerate(names, 1):
        distinct[name if name not in distinct else f"{name} ({number})"] = None
    return tuple(distinct)


def _uses(profile: Profile, source_column: str) -> str:
    uses = [column for column, source in profile.columns.items() if source == source_column]
    return ", ".join((["key"] if source_column in profile.key else []) + uses)


class ColumnMapper:
    """Makes row batches of one extract: all of the same schema, whatever the file or batch they come from."""

    def __init__(self, profile: Profile, null_values: Iterable[str] = ()) -> None:
        self._profile = profile
        self._null_values = pa.array(sorted(set(null_values)), pa.string())
        self._named = {*profile.key, *profile.columns.values()}
        self.schema = pa.schema([(name, pa.string()) for name in profile.output_columns])

    def unnamed(self, available: Iterable[str]) -> list[str]:
        """The source columns that go to `extra`, sorted."""
        return sorted(set(available) - self._named)

    def empty(self, rejected: tuple[RejectedRow, ...] = ()) -> RowBatch:
        """A batch of the same schema without rows, for what was rejected where nothing else is left."""
        return RowBatch(pa.RecordBatch.from_pylist([], schema=self.schema), rejected)

    def map_columns(
        self,
        columns: Mapping[str, pa.Array],
        rows: int,
        *,
        extra: pa.Array | None = None,
        rejected: Sequence[RejectedRow] = (),
        where: str,
    ) -> Iterator[RowBatch]:
        """Row batches of at most BATCH_ROWS rows made of source columns of strings.

        `extra` is given where rows differ in what they hold beside the named columns; else it is made of the
        unnamed columns. `rejected` goes with the first batch. Rows that are not valid UTF-8 or hold a NUL are
        rejected, with `where` in the message.
        """
        columns, extra, refused = _without_unspeakable(dict(columns), rows, extra, where)
        rows -= len(refused)
        batch = self._record_batch(columns, rows, extra)
        all_rejected = (*rejected, *refused)
        if rows == 0 and all_rejected:
            yield RowBatch(batch, all_rejected)
        for start in range(0, rows, BATCH_ROWS):
            yield RowBatch(batch.slice(start, BATCH_ROWS), all_rejected if start == 0 else ())

    def map_records(self, found: Sequence[Record | RejectedRow], *, where: str) -> Iterator[RowBatch]:
        """Row batches of JSON records, which may differ in what they hold, and of what was rejected among them."""
        records = [item for item in found if not isinstance(item, RejectedRow)]
        rejected = [item for item in found if isinstance(item, RejectedRow)]
        columns = {
            name: pa.array([value_text(record.get(name)) for record in records], pa.string())
            for name in sorted(self._named)
        }
        extra = pa.array([extra_text(record, self._named) for record in records], pa.string())
        return self.map_columns(columns, len(records), extra=extra, rejected=rejected, where=where)

    def _record_batch(
        self, columns: Mapping[str, pa.Array], rows: int, extra: pa.Array | None
    ) -> pa.RecordBatch:
        if len(self._null_values):
            columns = {name: self._with_nulls(column) for name, column in columns.items()}
        if extra is None:
            extra = json_objects({name: columns[name] for name in self.unnamed(columns)}, rows)
        missing = pa.nulls(rows, pa.string())
        out: list[pa.Array] = []
        for name in self._profile.output_columns:
            if name == MOVIE_ID:
                out.append(join_key_columns([columns.get(part, missing) for part in self._profile.key]))
            elif name == EXTRA:
                out.append(extra)
            else:
                out.append(columns.get(self._profile.columns[name], missing))
        return pa.RecordBatch.from_arrays(out, schema=self.schema)

    def _with_nulls(self, column: pa.Array) -> pa.Array:
        return pc.if_else(pc.is_in(column, value_set=self._null_values), _NULL, column)


def _without_unspeakable(
    columns: dict[str, pa.Array], rows: int, extra: pa.Array | None, where: str
) -> tuple[dict[str, pa.Array], pa.Array | None, list[RejectedRow]]:
    faults: dict[int, str] = {}
    for column in (*columns.values(), *(() if extra is None else (extra,))):
        for index, code in _faults(column):
            faults.setdefault(index, code)
    if not faults:
        return columns, extra, []
    messages = {NUL_BYTE: "a value holds a NUL character", UNDECODABLE_ROW: "a value is not valid UTF-8"}
    refused = [
        reject(None, _row_text(columns, index), code, f"{where}: {messages[code]}")
        for index, code in sorted(faults.items())
    ]
    keep = pa.array([index not in faults for index in range(rows)], pa.bool_())
    columns = {name: column.filter(keep) for name, column in columns.items()}
    return columns, None if extra is None else extra.filter(keep), refused


def _faults(column: pa.Array) -> Iterator[tuple[int, str]]:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        for index, value in enumerate(column.cast(pa.binary()).to_pylist()):
            try:
                (value or b"").decode("utf-8")
            except UnicodeDecodeError:
                yield index, UNDECODABLE_ROW
            else:
                if value is not None and b"\0" in value:
                    yield index, NUL_BYTE
        return
    if _may_hold(column, b"\0"):
        for index in pc.indices_nonzero(pc.match_substring(column, "\0")).to_pylist():
            yield index, NUL_BYTE


def _may_hold(column: pa.Array, byte: bytes) -> bool:
    """Whether the byte is anywhere in the memory of an array of strings: quick, and wrong only on the safe side."""
    data = column.buffers()[2]
    return data is not None and byte in data.to_pybytes()


def _row_text(columns: Mapping[str, pa.Array], index: int) -> str:
    row: dict[str, str | None] = {}
    for name, column in sorted(columns.items()):
        value = column.cast(pa.binary())[index].as_py()
        row[name] = None if value is None else value.decode("utf-8", "backslashreplace")
    return json.dumps(row, ensure_ascii=False)


def json_objects(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """One JSON object a row of columns of strings: keys sorted, strings and nulls, no blanks between.

    Null for all rows where there are no columns.
    """
    if not columns:
        return pa.nulls(rows, pa.string())
    parts: list[pa.Array | pa.Scalar] = []
    opening = "{"
    for name in sorted(columns):
        parts.append(pa.scalar(f"{opening}{json.dumps(name, ensure_ascii=False)}:"))
        parts.append(json_strings(columns[name]))
        opening = ","
    return pc.binary_join_element_wise(*parts, pa.scalar("}"), "")


def json_strings(column: pa.Array) -> pa.Array:
    """Each text as a JSON string; the JSON text null for null."""
    data = column.buffers()[2]
    memory = b"" if data is None else data.to_pybytes()
    escaped = column
    for byte, character, escape in _ESCAPES:
        if byte in memory:
            escaped = pc.replace_substring(escaped, character, escape)
    if memory.translate(None, _NOT_CONTROL):
        # Control characters are rare enough to do these columns value by value.
        quoted = pa.array(
            [None if v is None else json.dumps(v, ensure_ascii=False) for v in column.to_pylist()],
            pa.string(),
        )
    else:
        quoted = pc.binary_join_element_wise('"', escaped, '"', "")
    return pc.fill_null(quoted, "null")


_ESCAPES = (
    (b"\\", "\\", "\\\\"),
    (b'"', '"', '\\"'),
    (b"\n", "\n", "\\n"),
    (b"\r", "\r", "\\r"),
    (b"\t", "\t", "\\t"),
)
_NOT_CONTROL = bytes(byte for byte in range(256) if byte >= 0x20 or byte in b"\n\r\t")
