"""How a table's columns come to be as CREATE OR ALTER TABLE defines them, and what ALTER TABLE may change. Pure.

Sources: Snowflake documentation, "CREATE TABLE" (CREATE OR ALTER TABLE usage notes), "ALTER TABLE … ALTER COLUMN"
(docs.snowflake.com/en/sql-reference/sql/alter-table-column). The sentences of the errors are those that accounts
give; of their numbers only 000002 and 002108 are known, the others are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, compilation_error
from movie_platform.local_cloud.snowflake.text.column_types import same_type, why_not_changed
from movie_platform.local_cloud.snowflake.text.table_definition import ColumnDefinition
from movie_platform.local_cloud.snowflake.text.tokens import Kind, tokenize


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table that is there.

    `recorded` is whether type and default are as a statement said them, and not what DuckDB makes of them; `added`
    whether the column came by an ALTER.
    """

    name: str
    type: str
    nullable: bool
    default: str | None
    comment: str | None
    recorded: bool = True
    added: bool = False


@dataclass(frozen=True, slots=True)
class AddColumn:
    """A column comes at the end."""

    column: ColumnDefinition


@dataclass(frozen=True, slots=True)
class DropColumn:
    """A column goes, with what is in it."""

    name: str


@dataclass(frozen=True, slots=True)
class SetType:
    """A column gets another type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class SetNullable:
    """A column may hold nulls from now on, or may not."""

    name: str
    nullable: bool


@dataclass(frozen=True, slots=True)
class SetDefault:
    """A column gets the next value of another sequence as its default, or no default."""

    name: str
    default: str | None


@dataclass(frozen=True, slots=True)
class SetComment:
    """A column gets a comment, or none."""

    name: str
    comment: str | None


Change = AddColumn | DropColumn | SetType | SetNullable | SetDefault | SetComment


def changes_to(
    table: str, present: Sequence[Column], wanted: Sequence[ColumnDefinition], *, has_rows: bool
) -> list[Change]:
    """What turns a table's columns into the wanted ones.

    Raises SnowflakeError for what CREATE OR ALTER TABLE cannot do; order and types are looked at before all else.
    """
    known = {column.name: column for column in present}
    names = [column.name for column in wanted]
    _check_order([column.name for column in present], names)
    changes: list[Change] = [DropColumn(column.name) for column in present if column.name not in set(names)]
    for column in wanted:
        if column.name in known:
            changes += type_change(known[column.name], column.type)
    for column in wanted:
        if column.name in known:
            changes += _property_changes(known[column.name], column)
        else:
            check_addable(table, column, has_rows=has_rows)
            changes.append(AddColumn(column))
    return changes


def _check_order(present: Sequence[str], wanted: Sequence[str]) -> None:
    stays = [name for name in wanted if name in set(present)]
    if wanted[: len(stays)] != stays:
        raise SnowflakeError(
            2, "0A000", "Unsupported feature 'CREATE OR ALTER TABLE column add before end of column list'."
        )
    if stays != [name for name in present if name in set(wanted)]:
        raise compilation_error(
            2, "0A000", "Invalid operation column re-ordering is not possible in CREATE OR ALTER TABLE"
        )


def type_change(column: Column, wanted: str | None) -> list[Change]:
    """The change of a column's type, if it is one.

    Raises SnowflakeError 002108 for a type that ALTER TABLE cannot give it.
    """
    if wanted is None or same_type(column.type, wanted, recorded=column.recorded):
        return []
    why = why_not_changed(column.type, wanted)
    if why is not None:
        raise compilation_error(
            2108, "22000", f"cannot change column {column.name} from type {column.type} to {wanted}{why}"
        )
    return [SetType(column.name, wanted)]


def check_addable(table: str, column: ColumnDefinition, *, has_rows: bool) -> None:
    """Raises SnowflakeError where a column without nulls has nothing for the rows that are there."""
    if not column.nullable and has_rows and (column.default or "NULL").upper() == "NULL":
        raise compilation_error(
            2014,
            "22000",
            f"Non-nullable column '{column.name}' cannot be added to non-empty table '{table}' "
            "unless it has a non-null default value.",
        )


def _property_changes(column: Column, wanted: ColumnDefinition) -> list[Change]:
    changes: list[Change] = []
    if not _same_default(column, wanted.default):
        changes.append(default_change(column, wanted.default))
    if column.nullable != wanted.nullable:
        changes.append(SetNullable(column.name, wanted.nullable))
    if (column.comment or None) != (wanted.comment or None):
        changes.append(SetComment(column.name, wanted.comment))
    return changes


def _same_default(column: Column, wanted: str | None) -> bool:
    if column.default is None or wanted is None:
        return column.default is wanted
    return not column.recorded or _normal(column.default) == _normal(wanted)


def _normal(expression: str) -> list[str]:
    return [
        token.text.upper() if token.kind is Kind.WORD else f"{token.kind.value} {token.text}"
        for token in tokenize(expression)
    ]


def default_change(column: Column, wanted: str | None) -> SetDefault:
    """The change of a column's default.

    Raises SnowflakeError for one that ALTER TABLE cannot make: only a sequence may be changed, and only the default of
    a column that came with its table may be dropped.
    """
    if wanted is not None:
        if not (_is_sequence(wanted) and column.default and _is_sequence(column.default)):
            raise SnowflakeError(2, "0A000", "Unsupported feature 'Alter Column Set Default'.")
    elif column.added:
        raise SnowflakeError(
            2016,
            "22000",
            f"Dropping default value is not allowed for column '{column.name}' because the column was added after "
            "table was created.",
        )
    return SetDefault(column.name, wanted)


def _is_sequence(default: str) -> bool:
    return default.upper().endswith(".NEXTVAL")
