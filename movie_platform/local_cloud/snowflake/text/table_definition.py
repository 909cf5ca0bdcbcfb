"""What CREATE TABLE says of columns and keys, read from the statement's own text.

sqlglot reads the rest. It keeps neither names and properties of keys nor the synonyms of types, so the clauses that
DuckDB must not see are read here, and `plain_sql` is the statement without them. Pure.

Sources: Snowflake documentation, "CREATE TABLE", "CREATE | ALTER TABLE … CONSTRAINT"
(docs.snowflake.com/en/sql-reference/sql/create-table-constraint).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from movie_platform.local_cloud.snowflake.errors import compilation_error, unsupported
from movie_platform.local_cloud.snowflake.text.column_types import canonical_type
from movie_platform.local_cloud.snowflake.text.names import Name
from movie_platform.local_cloud.snowflake.text.tokens import Kind, TokenStream

PRIMARY_KEY, UNIQUE, FOREIGN_KEY = "PRIMARY KEY", "UNIQUE", "FOREIGN KEY"
_TYPES_OF_SEVERAL_WORDS = (
    ("DOUBLE", "PRECISION"), ("CHAR", "VARYING"), ("NCHAR", "VARYING"), ("CHARACTER", "VARYING"),
)  # fmt: skip
_TYPES_WITH_ZONE = (
    ("WITHOUT", "TIME", "ZONE"), ("WITH", "LOCAL", "TIME", "ZONE"), ("WITH", "TIME", "ZONE"),
)  # fmt: skip
# What ends a default's expression, outside brackets.
_AFTER_DEFAULT = (
    ("NOT", "NULL"), ("NULL",), ("CONSTRAINT",), ("UNIQUE",), ("PRIMARY",), ("FOREIGN",), ("REFERENCES",), ("COMMENT",),
    ("COLLATE",), ("WITH",), ("AUTOINCREMENT",), ("IDENTITY",),
)  # fmt: skip
_KEY_WORDS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "REFERENCES")


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column as a statement has it; `type` is None where a query says it. `default` is the expression's text."""

    name: str
    type: str | None
    nullable: bool = True
    default: str | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """A key, recorded and not enforced; `name` is None until it gets one.

    `table` and `table_columns` are what a foreign key references; no columns: the primary key.
    """

    kind: str
    columns: tuple[str, ...]
    name: str | None = None
    table: Name | None = None
    table_columns: tuple[str, ...] = ()
    rely: bool = False
    comment: str | None = None
    update_rule: str = "NO ACTION"
    delete_rule: str = "NO ACTION"


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """What a CREATE TABLE defines. `plain_sql` is the statement for sqlglot; `clustering` the text of CLUSTER BY.

    `variant` is what makes it another form than a list of columns: AS, CLONE, LIKE or USING.
    """

    name: Name
    plain_sql: str
    replace: bool
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    transient: bool = False
    temporary: bool = False
    clustering: str | None = None
    variant: str | None = None


@dataclass
class _Reader:
    stream: TokenStream
    timestamp_mapping: str
    columns: list[ColumnDefinition] = field(default_factory=list)
    # Where each column's definition ends.
    ends: list[int] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    cuts: list[tuple[int, int, str]] = field(default_factory=list)

    def cut(self, start: int) -> None:
        """Leaves out what was read since an offset."""
        self.cuts.append((start, self.stream.previous_end, ""))

    def plain_sql(self) -> str:
        parts: list[str] = []
        position = 0
        for start, end, text in sorted(self.cuts):
            parts += [self.stream.sql[position:start], text]
            position = end
        return "".join([*parts, self.stream.sql[position:]])


def read_create_table(sql: str, timestamp_mapping: str) -> TableDefinition:
    """What a whole CREATE [OR …] TABLE says.

    Raises SnowflakeError for a syntax error, or for what neither this nor Snowflake's own grammar has.
    """
    reader = _Reader(TokenStream(sql), timestamp_mapping)
    stream = reader.stream
    stream.expect("CREATE")
    replaces = stream.accept("OR", "REPLACE")
    alters = stream.at("OR", "ALTER")
    if alters:
        reader.cuts.append((stream.token.start, stream.end_of("OR", "ALTER"), ""))
    start = stream.token.start
    if not stream.accept("LOCAL"):
        stream.accept("GLOBAL")
    transient = stream.accept("TRANSIENT")
    temporary = stream.accept("TEMPORARY") or stream.accept("TEMP") or stream.accept("VOLATILE")
    if temporary:
        reader.cuts.append((start, stream.previous_end, "TEMPORARY"))
    stream.expect("TABLE")
    if alters and stream.at("IF", "NOT"):
        raise stream.unexpected()
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = stream.name()
    if stream.accept_symbol("("):
        _read_list(reader)
    elif alters and stream.at_end:
        raise stream.unexpected()
    clustering, variant = _read_rest(stream)
    _close_primary_keys(reader)
    columns = tuple(reader.columns)
    _check_names(columns)
    return TableDefinition(
        name,
        reader.plain_sql(),
        replaces,
        if_not_exists,
        columns,
        tuple(reader.constraints),
        transient,
        temporary,
        clustering,
        variant,
    )


def _close_primary_keys(reader: _Reader) -> None:
    # A primary key's columns cannot be null.
    keyed = {name for key in reader.constraints if key.kind == PRIMARY_KEY for name in key.columns}
    for place, column in enumerate(reader.columns):
        if column.name in keyed and column.nullable:
            reader.columns[place] = replace(column, nullable=False)
            reader.cuts.append((reader.ends[place], reader.ends[place], " NOT NULL"))


def _check_names(columns: tuple[ColumnDefinition, ...]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise compilation_error(2025, "42S21", f"duplicate column name '{column.name}'")
        seen.add(column.name)


def _read_list(reader: _Reader) -> None:
    stream = reader.stream
    # Each item's place, whether it is a key, and the comma behind it.
    items: list[tuple[int, int, bool, tuple[int, int] | None]] = []
    while True:
        start = stream.token.start
        is_key = stream.token.kind is Kind.WORD and stream.token.text.upper() in _KEY_WORDS
        if is_key:
            reader.constraints.append(read_table_constraint(stream))
        else:
            _read_column(reader)
            reader.ends.append(stream.previous_end)
        end, comma = stream.previous_end, stream.token
        more = stream.accept_symbol(",")
        items.append((start, end, is_key, (comma.start, comma.end) if more else None))
        if not more:
            break
    stream.expect_symbol(")")
    # A key goes with the comma behind it; those after the last column go with the comma before them.
    last_column = max((place for place, item in enumerate(items) if not item[2]), default=-1)
    for place, (start, end, is_key, behind) in enumerate(items):
        before = items[place - 1][3] if place else None
        if is_key and place < last_column and behind is not None:
            reader.cuts.append((start, behind[1], ""))
        elif is_key and before is not None:
            reader.cuts.append((before[0], end, ""))


def _read_column(reader: _Reader) -> None:
    stream = reader.stream
    name = stream.identifier()
    if stream.at_symbol(",") or stream.at_symbol(")"):
        reader.columns.append(ColumnDefinition(name, None))
        return
    if stream.accept("COMMENT"):
        reader.columns.append(ColumnDefinition(name, None, comment=stream.string()))
        return
    column = ColumnDefinition(name, _read_cut_type(reader))
    while not (stream.at_symbol(",") or stream.at_symbol(")")):
        start = stream.token.start
        if stream.token.kind is Kind.WORD and stream.token.text.upper() in _KEY_WORDS:
            reader.constraints.append(_read_column_constraint(stream, name))
            reader.cut(start)
        else:
            column = _with_clause(stream, column)
    reader.columns.append(column)


def _read_cut_type(reader: _Reader) -> str:
    # DuckDB takes no length of a binary, and no digits of a time's second.
    start = reader.stream.token.start
    kind = read_type(reader.stream, reader.timestamp_mapping)
    name = kind.partition("(")[0]
    if name in {"BINARY", "TIME"}:
        reader.cuts.append((start, reader.stream.previous_end, name))
    return kind


def read_column(
    stream: TokenStream, timestamp_mapping: str
) -> tuple[ColumnDefinition, tuple[Constraint, ...]]:
    """Takes a column's definition, to a comma or the statement's end; gives the column and the keys in it."""
    name = stream.identifier()
    column = ColumnDefinition(name, read_type(stream, timestamp_mapping))
    keys: list[Constraint] = []
    while not (stream.at_symbol(",") or stream.at_symbol(";") or stream.token.kind is Kind.END):
        if stream.token.kind is Kind.WORD and stream.token.text.upper() in _KEY_WORDS:
            keys.append(_read_column_constraint(stream, name))
        else:
            column = _with_clause(stream, column)
    if any(key.kind == PRIMARY_KEY for key in keys):
        column = replace(column, nullable=False)
    return column, tuple(keys)


def _with_clause(stream: TokenStream, column: ColumnDefinition) -> ColumnDefinition:
    if stream.accept("NOT", "NULL"):
        return replace(column, nullable=False)
    if stream.accept("NULL"):
        return column
    if stream.accept("COMMENT"):
        return replace(column, comment=stream.string())
    if stream.at("DEFAULT") or stream.at("AUTOINCREMENT") or stream.at("IDENTITY"):
        return replace(column, default=read_default(stream))
    if stream.token.kind is Kind.WORD:
        raise unsupported(f"the column clause {stream.token.text.upper()}")
    raise stream.unexpected()


def read_type(stream: TokenStream, timestamp_mapping: str) -> str:
    """Takes a data type; gives it as DESCRIBE TABLE writes it.

    Raises SnowflakeError for a type that is not there.
    """
    words = next((words for words in _TYPES_OF_SEVERAL_WORDS if stream.accept(*words)), None)
    name = " ".join(words) if words else stream.word()
    arguments: tuple[int, ...] = ()
    if stream.accept_symbol("("):
        if stream.token.kind is not Kind.NUMBER:
            raise unsupported(f"the data type {name} of {stream.token.text}")
        arguments = (stream.integer(),)
        if stream.accept_symbol(","):
            arguments += (stream.integer(),)
        stream.expect_symbol(")")
    if name == "TIMESTAMP":
        zone = next((words for words in _TYPES_WITH_ZONE if stream.accept(*words)), None)
        name = " ".join([name, *zone]) if zone else name
    return canonical_type(name, arguments, timestamp_mapping)


def read_default(stream: TokenStream) -> str:
    """Takes a column's DEFAULT, AUTOINCREMENT or IDENTITY; gives the default's text, or the whole other clause."""
    if not stream.accept("DEFAULT"):
        return _read_numbering(stream)
    start = stream.token.start
    depth = 0
    while stream.token.kind is not Kind.END:
        if depth == 0 and stream.token.start != start:
            if stream.token.kind is Kind.SYMBOL and stream.token.text in {",", ")", ";"}:
                break
            if any(stream.at(*words) for words in _AFTER_DEFAULT):
                break
        symbol = stream.take()
        if symbol.kind is Kind.SYMBOL:
            depth += {"(": 1, ")": -1}.get(symbol.text, 0)
    return stream.sql[start : stream.previous_end]


def _read_numbering(stream: TokenStream) -> str:
    stream.word()
    start, step = 1, 1
    if stream.accept_symbol("("):
        start = stream.integer()
        stream.expect_symbol(",")
        step = stream.integer()
        stream.expect_symbol(")")
    elif stream.accept("START"):
        start = stream.integer()
        stream.expect("INCREMENT")
        step = stream.integer()
    if not stream.accept("ORDER"):
        stream.accept("NOORDER")
    return f"AUTOINCREMENT START {start} INCREMENT {step}"


def read_table_constraint(stream: TokenStream) -> Constraint:
    """Takes a key that names its columns, with its properties and comment."""
    name = stream.identifier() if stream.accept("CONSTRAINT") else None
    if stream.accept("PRIMARY", "KEY"):
        constraint = Constraint(PRIMARY_KEY, read_columns(stream), name)
    elif stream.accept("UNIQUE"):
        constraint = Constraint(UNIQUE, read_columns(stream), name)
    else:
        stream.expect("FOREIGN", "KEY")
        columns = read_columns(stream)
        stream.expect("REFERENCES")
        table, referenced = _read_reference(stream)
        constraint = Constraint(FOREIGN_KEY, columns, name, table, referenced)
    constraint = read_properties(stream, constraint)
    return replace(constraint, comment=stream.string()) if stream.accept("COMMENT") else constraint


def _read_column_constraint(stream: TokenStream, column: str) -> Constraint:
    name = stream.identifier() if stream.accept("CONSTRAINT") else None
    if stream.accept("PRIMARY", "KEY"):
        constraint = Constraint(PRIMARY_KEY, (column,), name)
    elif stream.accept("UNIQUE"):
        constraint = Constraint(UNIQUE, (column,), name)
    else:
        stream.accept("FOREIGN", "KEY")
        stream.expect("REFERENCES")
        table, referenced = _read_reference(stream)
        constraint = Constraint(FOREIGN_KEY, (column,), name, table, referenced)
    return read_properties(stream, constraint)


def _read_reference(stream: TokenStream) -> tuple[Name, tuple[str, ...]]:
    table = stream.name()
    return table, read_columns(stream) if stream.at_symbol("(") else ()


def read_columns(stream: TokenStream) -> tuple[str, ...]:
    """Takes a list of column names in brackets."""
    stream.expect_symbol("(")
    columns = [stream.identifier()]
    while stream.accept_symbol(","):
        columns.append(stream.identifier())
    stream.expect_symbol(")")
    return tuple(columns)


def _read_rule(stream: TokenStream) -> str:
    for words in (("CASCADE",), ("SET", "NULL"), ("SET", "DEFAULT"), ("RESTRICT",), ("NO", "ACTION")):
        if stream.accept(*words):
            return " ".join(words)
    raise stream.unexpected()


# Accepted, and of no effect on a standard table ("Constraint properties").
_WITHOUT_EFFECT = (
    ("NOT", "ENFORCED"), ("ENFORCED",), ("NOT", "DEFERRABLE"), ("DEFERRABLE",), ("INITIALLY", "DEFERRED"),
    ("INITIALLY", "IMMEDIATE"), ("ENABLE",), ("DISABLE",), ("VALIDATE",), ("NOVALIDATE",), ("MATCH", "FULL"),
    ("MATCH", "SIMPLE"), ("MATCH", "PARTIAL"),
)  # fmt: skip


def read_properties(stream: TokenStream, constraint: Constraint) -> Constraint:
    """Takes the properties that follow a key; gives the key with them."""
    readers: tuple[tuple[tuple[str, ...], Callable[[Constraint], Constraint]], ...] = (
        (("RELY",), lambda key: replace(key, rely=True)),
        (("NORELY",), lambda key: replace(key, rely=False)),
        (("ON", "UPDATE"), lambda key: replace(key, update_rule=_read_rule(stream))),
        (("ON", "DELETE"), lambda key: replace(key, delete_rule=_read_rule(stream))),
        *((words, lambda key: key) for words in _WITHOUT_EFFECT),
    )
    while True:
        change = next((change for words, change in readers if stream.accept(*words)), None)
        if change is None:
            return constraint
        constraint = change(constraint)


def _read_rest(stream: TokenStream) -> tuple[str | None, str | None]:
    # The text in the brackets of CLUSTER BY, wherever it stands before a query; the word of another form.
    clustering: str | None = None
    while stream.token.kind is not Kind.END:
        for variant in ("AS", "CLONE", "LIKE", "USING"):
            if stream.at(variant):
                return clustering, variant
        if stream.accept("CLUSTER", "BY"):
            stream.expect_symbol("(")
            start = stream.token.start
            end = skip_brackets(stream)
            clustering = stream.sql[start:end].strip()
        elif stream.accept_symbol("("):
            skip_brackets(stream)
        else:
            stream.take()
    return clustering, None


def skip_brackets(stream: TokenStream) -> int:
    """Takes everything up to the bracket that closes one which was taken; gives where that bracket is."""
    depth = 1
    while stream.token.kind is not Kind.END:
        token = stream.take()
        if token.kind is Kind.SYMBOL:
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if depth == 0:
                return token.start
    raise stream.unexpected()
