# ruff: noqa: S608 - identifiers in SQL text are quoted by `names`, literals by `literal`; types are Snowflake's own
"""A table's columns as Snowflake has them, and changing them where they stand: rows, grants and streams stay."""

from collections.abc import Callable, Sequence

from movie_platform.local_cloud.snowflake.errors import compilation_error, unsupported
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import column_records, table_records
from movie_platform.local_cloud.snowflake.state.translate import parse
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.text.column_types import text_length
from movie_platform.local_cloud.snowflake.text.names import FullName, literal, quoted
from movie_platform.local_cloud.snowflake.text.table_shape import (
    AddColumn,
    Change,
    DropColumn,
    SetComment,
    SetDefault,
    SetNullable,
    SetType,
)


def has_rows(session: Session, name: FullName) -> bool:
    """Whether a table holds any row."""
    return bool(session.duck.execute(f"SELECT 1 FROM {name.sql} LIMIT 1").fetchall())


def apply(session: Session, name: FullName, changes: Sequence[Change]) -> None:
    """Makes the changes, all or none, and records them.

    Raises SnowflakeError where the rows that are there do not fit: a null, or a number of too many digits.
    """

    def work() -> None:
        for change in changes:
            _STEPS[type(change)](session, name, change)

    if changes:
        session.atomically(work)
    for change in changes:
        _record(session, name, change)


def _alter(session: Session, name: FullName, action: str) -> None:
    session.duck.execute(f"ALTER TABLE {name.sql} {action}")


def _add(session: Session, name: FullName, change: AddColumn) -> None:
    column = change.column
    default = "" if column.default is None else f" DEFAULT {column.default}"
    if default.startswith(" DEFAULT AUTOINCREMENT"):
        raise unsupported("a new AUTOINCREMENT column of a table that is there")
    tree = parse(f"ALTER TABLE {name.sql} ADD COLUMN {quoted(column.name)} {_written(column.type)}{default}")
    for part in session.translator.prepare(replace_functions(session, tree, [])):
        session.duck.execute(part.sql)
    if not column.nullable:
        _alter(session, name, f"ALTER COLUMN {quoted(column.name)} SET NOT NULL")
    if column.comment is not None:
        _comment(session, name, SetComment(column.name, column.comment))


def _drop(session: Session, name: FullName, change: DropColumn) -> None:
    _alter(session, name, f"DROP COLUMN {quoted(change.name)}")
    session.account.streams.change_column(session.duck, name, change.name, None)


def _set_type(session: Session, name: FullName, change: SetType) -> None:
    tree = parse(
        f"ALTER TABLE {name.sql} ALTER COLUMN {quoted(change.name)} SET DATA TYPE {_written(change.type)}"
    )
    for part in session.translator.prepare(tree):
        session.duck.execute(part.sql)
    session.account.streams.follow_type(session.duck, name, change.name)


def _set_nullable(session: Session, name: FullName, change: SetNullable) -> None:
    column = quoted(change.name)
    if (
        not change.nullable
        and session.duck.execute(f"SELECT 1 FROM {name.sql} WHERE {column} IS NULL LIMIT 1").fetchall()
    ):
        raise compilation_error(
            2207, "22000", f"Cannot set column '{change.name}' to NOT NULL: it contains null values."
        )
    _alter(session, name, f"ALTER COLUMN {column} {'DROP' if change.nullable else 'SET'} NOT NULL")


def _set_default(session: Session, name: FullName, change: SetDefault) -> None:
    if change.default is not None:
        raise unsupported("another sequence as a column's default")
    _alter(session, name, f"ALTER COLUMN {quoted(change.name)} DROP DEFAULT")


def _comment(session: Session, name: FullName, change: SetComment) -> None:
    set_comment(session, name, change.name, change.comment)


def set_comment(session: Session, name: FullName, column: str, comment: str | None) -> None:
    """Gives a column of a table or view a comment, or none."""
    text = "NULL" if comment is None else literal(comment)
    session.duck.execute(f"COMMENT ON COLUMN {name.sql}.{quoted(column)} IS {text}")


_STEPS: dict[type, Callable[..., None]] = {
    AddColumn: _add, DropColumn: _drop, SetType: _set_type, SetNullable: _set_nullable, SetDefault: _set_default,
    SetComment: _comment,
}  # fmt: skip


def _written(kind: str | None) -> str:
    # Without the fraction of a second's digits and a binary's length, which DuckDB does not take.
    text = str(kind)
    return text.partition("(")[0] if text.startswith(("TIME", "BINARY")) else text


def _record(session: Session, name: FullName, change: Change) -> None:
    engine = session.account.engine
    if isinstance(change, AddColumn):
        column_records.record(engine, name, [change.column], added=True)
        _record_length(session, name, change.column.name, str(change.column.type))
    elif isinstance(change, DropColumn):
        table_records.change_column(engine, name, change.name, None)
    elif isinstance(change, SetType):
        column_records.set_type(engine, name, change.name, change.type)
        _record_length(session, name, change.name, change.type)
    elif isinstance(change, SetDefault):
        column_records.set_default(engine, name, change.name, change.default)


def _record_length(session: Session, name: FullName, column: str, kind: str) -> None:
    length = text_length(kind)
    if length is not None:
        table_records.record_lengths(session.account.engine, name, [(column, length)])
