# ruff: noqa: S608 - identifiers in SQL text are constants; values are bound
"""GET_DDL: the text of a statement that makes an object as it is.

Source: Snowflake documentation, "GET_DDL" (docs.snowflake.com/en/sql-reference/functions/get_ddl), which has no stages
among its kinds: a STAGE is refused, and a schema's text leaves its stages out.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from movie_platform.local_cloud.snowflake.errors import does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import key_records, object_records, retention
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE
from movie_platform.local_cloud.snowflake.state.key_records import Key
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import columns_of, kind_of
from movie_platform.local_cloud.snowflake.state.task_store import Task
from movie_platform.local_cloud.snowflake.statements.authorizing import require_seen
from movie_platform.local_cloud.snowflake.statements.tasks import SUSPEND_AFTER, TIMEOUT_MS
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, shown
from movie_platform.local_cloud.snowflake.text.table_definition import FOREIGN_KEY
from movie_platform.local_cloud.snowflake.text.table_shape import Column
from movie_platform.local_cloud.snowflake.text.tokens import parse_name
from movie_platform.local_cloud.snowflake.text.view_definition import read_create_view


def get_ddl(session: Session, kind: str, name: str, *, qualified: bool = False) -> str:
    """The text for an object; `qualified` writes the names of what it makes in full.

    Raises SnowflakeError for a kind of which there is none, and for an object that does not exist.
    """
    wanted = kind.upper().replace(" ", "_")
    writer = _WRITERS.get(wanted)
    if writer is None:
        raise unsupported(f"GET_DDL of a {kind}")
    written = parse_name(name)
    _require_seen(session, wanted, written)
    return writer(session, written, _full_names if qualified else _own_names)


def _require_seen(session: Session, kind: str, written: Name) -> None:
    if kind in {"DATABASE", "WAREHOUSE"}:
        require_seen(session, Securable(kind, written.name))
    elif kind == "SCHEMA":
        require_seen(session, Securable.schema(written.schema or session.database or "", written.name))
    else:
        name = session.resolve(written)
        found = kind_of(session.duck, name) if kind in {"TABLE", "VIEW"} else kind.replace("_", " ")
        if found is not None:
            require_seen(session, Securable.in_schema(found, name))


_Names = Callable[[FullName], str]
_Writer = Callable[[Session, Name, _Names], str]


def _full_names(name: FullName) -> str:
    return str(name) if name.name else f"{shown(name.database)}.{shown(name.schema)}"


def _own_names(name: FullName) -> str:
    return shown(name.name or name.schema)


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, list | tuple):
        return f"({', '.join(_value(item) for item in value)})"
    return str(value) if isinstance(value, int | float) else _text(str(value))


def _comment(comment: str | None) -> str:
    return f" COMMENT={_text(comment)}" if comment else ""


def _relation(session: Session, written: Name, names: _Names) -> str:
    # A view's text is given for the kind TABLE, too.
    name = session.resolve(written)
    session.account.engine.require_database(name.database)
    kind = kind_of(session.duck, name)
    if kind is None:
        raise does_not_exist("Table", str(name))
    return _view(session, name, names) if kind == "VIEW" else _table(session, name, names)


def _table(session: Session, name: FullName, names: _Names) -> str:
    engine = session.account.engine
    known = object_records.find(engine, name)
    properties = known.properties if known is not None else {}
    lines = [_column(column) for column in columns_of(session.duck, name)]
    lines += [_key(key) for key in key_records.keys_of(engine, name)]
    transient = "TRANSIENT " if properties.get("TRANSIENT") else ""
    clustering = f" cluster by ({properties['CLUSTER BY']})" if properties.get("CLUSTER BY") else ""
    inner = ",\n\t".join(lines)
    rest = f"{clustering}{_days(session, name)}{_comment(_table_comment(session, name))}"
    return f"create or replace {transient}TABLE {names(name)} (\n\t{inner}\n){rest};"


def _column(column: Column) -> str:
    parts = [shown(column.name), column.type]
    if column.default:
        is_numbering = column.default.startswith("AUTOINCREMENT")
        parts.append(column.default.lower() if is_numbering else f"DEFAULT {column.default}")
    if not column.nullable:
        parts.append("NOT NULL")
    if column.comment:
        parts.append(f"COMMENT {_text(column.comment)}")
    return " ".join(parts)


def _key(key: Key) -> str:
    named = "" if key.name.startswith("SYS_CONSTRAINT_") else f"constraint {shown(key.name)} "
    text = f"{named}{key.kind.lower()} ({', '.join(map(shown, key.columns))})"
    if key.referenced is not None:
        text += f" references {key.referenced} ({', '.join(map(shown, key.referenced_columns))})"
    for rule, action in (("update", key.update_rule), ("delete", key.delete_rule)):
        if action != "NO ACTION":
            text += f" on {rule} {action.lower()}"
    return f"{text}{' rely' if key.rely else ''}{f' comment {_text(key.comment)}' if key.comment else ''}"


def _table_comment(session: Session, name: FullName) -> str | None:
    rows = session.account.engine.query(
        f"SELECT comment FROM {ACCOUNT_STATE}._fs_tables_ext "
        "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
        [name.database, name.schema, name.name],
    )
    return rows[0][0] if rows else None


def _days(session: Session, place: FullName) -> str:
    days = retention.own_days(session.account.engine, place)
    return "".join(f" {parameter}={value}" for parameter, value in sorted(days.items()))


def _view(session: Session, name: FullName, names: _Names) -> str:
    known = object_records.find(session.account.engine, name)
    if known is None or known.definition is None:
        raise unsupported(f"GET_DDL of the view {name}, which was made before the texts of views were kept")
    columns = [
        f"{shown(column.name)} COMMENT {_text(column.comment)}" if column.comment else shown(column.name)
        for column in columns_of(session.duck, name)
    ]
    secure = "secure " if known.properties.get("SECURE") else ""
    inner = ",\n\t".join(columns)
    comment = _comment(_table_comment(session, name))
    query = read_create_view(known.definition).query
    return f"create or replace {secure}view {names(name)} (\n\t{inner}\n){comment} as {query};"


def _stream(session: Session, written: Name, names: _Names) -> str:
    name = session.resolve(written)
    session.account.engine.require_database(name.database)
    stream = session.account.streams.find(session.duck, name)
    if stream is None:
        raise does_not_exist("Stream", str(name))
    mode = " append_only = true" if stream.append_only else ""
    return f"create or replace stream {names(name)} on table {stream.table}{mode}{_comment(stream.comment)};"


def _pipe(session: Session, written: Name, names: _Names) -> str:
    pipe = session.account.pipes.require(session.resolve(written))
    ingest = " auto_ingest=true" if pipe.auto_ingest else ""
    return f"create or replace pipe {names(pipe.name)}{ingest}{_comment(pipe.comment)} as {pipe.definition};"


def _task(session: Session, written: Name, names: _Names) -> str:
    name = session.resolve(written)
    task = session.account.tasks.find(name)
    if task is None:
        raise does_not_exist("Task", str(name))
    return "\n\t".join([f"create or replace task {names(name)}", *_task_lines(task)])


def _task_lines(task: Task) -> Iterable[str]:
    if task.warehouse is not None:
        yield f"warehouse={shown(task.warehouse)}"
    if task.schedule is not None:
        yield f"schedule={_text(task.schedule)}"
    if task.timeout_ms != TIMEOUT_MS:
        yield f"USER_TASK_TIMEOUT_MS={task.timeout_ms}"
    if task.suspend_after != SUSPEND_AFTER:
        yield f"SUSPEND_TASK_AFTER_NUM_FAILURES={task.suspend_after}"
    if task.comment:
        yield _comment(task.comment).strip()
    if task.predecessors:
        yield f"after {', '.join(map(str, task.predecessors))}"
    if task.condition is not None:
        yield f"when {task.condition}"
    yield f"as {task.definition};"


def _file_format(session: Session, written: Name, names: _Names) -> str:
    name = session.resolve(written)
    rows = session.account.engine.query(
        f"SELECT options, comment FROM {ACCOUNT_STATE}._fs_file_formats "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [name.database, name.schema, name.name],
    )
    if not rows:
        raise does_not_exist("File format", str(name))
    options: Mapping[str, Any] = json.loads(rows[0][0])
    lines = [f"{option} = {_value(value)}" for option, value in options.items()]
    if rows[0][1]:
        lines.append(_comment(rows[0][1]).strip())
    return "\n\t".join([f"create or replace file format {names(name)}", *lines]) + "\n;"


def _warehouse(session: Session, written: Name, _names: _Names) -> str:
    found = session.account.access.require("WAREHOUSE", written.name)
    options = [
        f"{option}={_value(value)}" for option, value in found.properties.items() if option not in {"STATE"}
    ]
    return (
        " ".join([f"create or replace warehouse {shown(found.name)}", *options])
        + f"{_comment(found.comment)};"
    )


def _schema(session: Session, written: Name, names: _Names) -> str:
    database = written.schema or session.database
    if written.database is not None or database is None:
        raise unsupported(f"a schema name of three parts ({written})")
    session.account.engine.require_schema(database, written.name)
    return _schema_text(session, object_records.of_schema(database, written.name), names)


def _container(session: Session, key: FullName, kind: str, name: str) -> str:
    known = object_records.find(session.account.engine, key)
    properties = known.properties if known is not None else {}
    transient = "TRANSIENT " if properties.get("TRANSIENT") else ""
    managed = " WITH MANAGED ACCESS" if properties.get("MANAGED ACCESS") else ""
    comment = properties.get("COMMENT")
    rest = f"{managed}{_days(session, key)}{_comment(None if comment is None else str(comment))}"
    return f"create or replace {transient}{kind} {name}{rest};"


def _schema_text(session: Session, key: FullName, names: _Names) -> str:
    own = Name(None, key.database, key.schema)
    parts = [_container(session, key, "schema", names(key))]
    for writer, objects in _objects(session, own):
        parts += [writer(session, Name(key.database, key.schema, name), names) for name in objects]
    return "\n\n".join(parts) + "\n"


def _objects(session: Session, schema: Name) -> Iterable[tuple[_Writer, list[str]]]:
    # What is in a schema, in an order in which it can be made.
    database, name = str(schema.schema), schema.name
    engine = session.account.engine
    place = [database, name]

    def named(table: str, column: str) -> list[str]:
        where = "database_name = ? AND schema_name = ?"
        return [
            row[0] for row in engine.query(f"SELECT {column} FROM {table} WHERE {where} ORDER BY 1", place)
        ]

    tables = named("duckdb_tables()", "table_name")
    keys = key_records.keys(engine, {"database": database, "schema": name})
    yield _relation, _in_order_of_keys(tables, [key for key in keys if key.kind == FOREIGN_KEY])
    views = engine.query(
        f"SELECT view_name FROM duckdb_views() LEFT JOIN {ACCOUNT_STATE}._fs_object_records AS record "
        "ON record.database_name = duckdb_views.database_name AND record.schema_name = duckdb_views.schema_name "
        "AND record.name = view_name WHERE duckdb_views.database_name = ? AND duckdb_views.schema_name = ? "
        "ORDER BY record.created_on, view_name",
        place,
    )
    yield _relation, [row[0] for row in views]
    yield _file_format, named(f"{ACCOUNT_STATE}._fs_file_formats", "name")
    yield (
        _stream,
        [found.name.name for found in session.account.streams.streams(database) if found.name.schema == name],
    )
    yield (
        _pipe,
        [found.name.name for found in session.account.pipes.pipes(database) if found.name.schema == name],
    )
    yield (
        _task,
        _in_order_of_tasks(
            [task for task in session.account.tasks.tasks(database) if task.name.schema == name]
        ),
    )


def _in_order_of_keys(tables: list[str], keys: list[Key]) -> list[str]:
    before = {
        table: {key.referenced.name for key in keys if key.table.name == table and key.referenced is not None}
        for table in tables
    }
    return _sorted(tables, before)


def _in_order_of_tasks(tasks: list[Task]) -> list[str]:
    return _sorted(
        [task.name.name for task in tasks],
        {task.name.name: {before.name for before in task.predecessors} for task in tasks},
    )


def _sorted(names: list[str], before: Mapping[str, set[str]]) -> list[str]:
    # Each after all that it needs of these; what needs each other in a circle as it comes.
    done: list[str] = []
    left = list(names)
    while left:
        ready = [name for name in left if not (before[name] & set(left)) - {name}] or left
        done += ready
        left = [name for name in left if name not in done]
    return done


def _database(session: Session, written: Name, names: _Names) -> str:
    engine = session.account.engine
    engine.require_database(written.name)
    schemas = engine.query(
        "SELECT schema_name FROM duckdb_schemas() WHERE database_name = ? AND NOT internal "
        "AND schema_name NOT IN ('main', '_fs_information_schema') ORDER BY 1",
        [written.name],
    )
    key = object_records.of_database(written.name)
    parts = [_container(session, key, "database", shown(written.name)) + "\n"]
    parts += [_schema_text(session, object_records.of_schema(written.name, row[0]), names) for row in schemas]
    return "\n".join(parts)


_WRITERS: dict[str, _Writer] = {
    "TABLE": _relation, "VIEW": _relation, "STREAM": _stream, "PIPE": _pipe, "TASK": _task,
    "FILE_FORMAT": _file_format, "WAREHOUSE": _warehouse, "SCHEMA": _schema, "DATABASE": _database,
}  # fmt: skip
