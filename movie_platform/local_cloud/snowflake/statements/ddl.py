# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""CREATE, ALTER and DROP of tables, views, sequences, schemas and databases, and COMMENT ON.

Snowflake records PRIMARY KEY, UNIQUE and FOREIGN KEY without enforcing them; DuckDB would enforce them. They are taken
out of what DuckDB gets and recorded. Clauses without an effect that a query could see (clustering, retention,
TRANSIENT, SECURE, COPY GRANTS) are accepted; whatever else is not understood is refused.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb
from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    already_exists,
    does_not_exist,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import load_history
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE, PUBLIC_SCHEMA, state_of
from movie_platform.local_cloud.snowflake.state.translate import Prepared, parse
from movie_platform.local_cloud.snowflake.statements.dml import full_name
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.statements.reading_streams import consume, replace_streams
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, literal, quoted, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_DONE = "Statement executed successfully."
_RETENTION = frozenset({"DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS", "CHANGE_TRACKING"})
_SCHEMA_PROPERTIES = frozenset({"COMMENT", "DATA_RETENTION_TIME_IN_DAYS", "MAX_DATA_EXTENSION_TIME_IN_DAYS"})
_KEPT_CONSTRAINTS = (
    exp.NotNullColumnConstraint,
    exp.DefaultColumnConstraint,
    exp.AutoIncrementColumnConstraint,
    exp.GeneratedAsIdentityColumnConstraint,
)
_TABLE_KEYS = (exp.PrimaryKey, exp.UniqueColumnConstraint, exp.ForeignKey)


@dataclass
class _Described:
    """What a CREATE says beside the statement that DuckDB gets."""

    comment: str | None = None
    columns: list[tuple[str, str]] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    lengths: list[tuple[str, int]] = field(default_factory=list)
    temporary: bool = False


def _identifier(node: Any) -> str:
    return node.this if node.quoted else str(node.this).upper()


def _take_properties(tree: exp.Create, described: _Described) -> None:
    kept: list[Expr] = []
    properties = tree.args.get("properties")
    for item in properties.expressions if properties else ():
        if isinstance(item, exp.SchemaCommentProperty):
            described.comment = item.this.name
        elif isinstance(item, exp.TemporaryProperty):
            described.temporary = True
            kept.append(item)
        elif isinstance(
            item,
            exp.TransientProperty
            | exp.CopyGrantsProperty
            | exp.Cluster
            | exp.ClusterProperty
            | exp.SecureProperty,
        ) or (isinstance(item, exp.Property) and item.name.upper() in _RETENTION):
            continue
        else:
            raise unsupported(f"CREATE {tree.kind} … {item.sql(dialect='snowflake')[:100]}")
    tree.set("properties", exp.Properties(expressions=kept) if kept else None)


def _take_columns(tree: exp.Create, described: _Described) -> None:
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        return
    kept: list[Expr] = []
    for item in schema.expressions:
        if isinstance(item, exp.ColumnDef):
            _take_constraints(item, described)
            kept.append(item.this.copy() if item.args.get("kind") is None else item)
        elif isinstance(item, exp.Identifier):
            kept.append(item)
        else:
            constraint = item.expressions[0] if isinstance(item, exp.Constraint) else item
            if not isinstance(constraint, _TABLE_KEYS):
                raise unsupported(f"the table constraint {item.sql(dialect='snowflake')[:100]}")
            kind = type(constraint).__name__
            columns = (
                constraint.this.expressions
                if isinstance(constraint, exp.UniqueColumnConstraint)
                else constraint.expressions
            )
            described.keys += [(_identifier(_inner(column)), kind) for column in columns]
    primary = {name for name, kind in described.keys if kind == "PrimaryKey"}
    for item in kept:
        # A primary key's columns cannot be null on Snowflake either.
        if isinstance(item, exp.ColumnDef) and _identifier(item.this) in primary:
            constraints = item.args.get("constraints") or []
            if not any(isinstance(found.kind, exp.NotNullColumnConstraint) for found in constraints):
                item.set(
                    "constraints", [*constraints, exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())]
                )
    schema.set("expressions", kept)


def _inner(node: Expr) -> Expr:
    while not isinstance(node, exp.Identifier):
        node = node.this
    return node


def _take_constraints(column: exp.ColumnDef, described: _Described) -> None:
    name = _identifier(column.this)
    kept: list[Expr] = []
    for constraint in column.args.get("constraints") or []:
        kind = constraint.kind if isinstance(constraint, exp.ColumnConstraint) else constraint
        if isinstance(kind, exp.CommentColumnConstraint):
            described.columns.append((name, kind.this.name))
        elif isinstance(kind, exp.PrimaryKeyColumnConstraint):
            described.keys.append((name, "PrimaryKey"))
        elif isinstance(kind, exp.UniqueColumnConstraint):
            described.keys.append((name, "UniqueColumnConstraint"))
        elif isinstance(kind, exp.Reference):
            described.keys.append((name, "ForeignKey"))
        elif isinstance(kind, _KEPT_CONSTRAINTS):
            kept.append(constraint)
        else:
            raise unsupported(f"the column constraint {constraint.sql(dialect='snowflake')[:100]}")
    column.set("constraints", kept)


def _run(
    session: Session, prepared: Iterable[Prepared], also: Callable[[duckdb.DuckDBPyConnection], None]
) -> None:
    def work() -> None:
        for part in prepared:
            if isinstance(part.expression, exp.Command):
                raise unsupported(part.sql[:200])
            session.duck.execute(part.sql, part.parameters)
        also(session.duck)

    session.atomically(work)


def create_table_or_view(session: Session, statement: Statement) -> result_set.Result:
    """CREATE TABLE (plain, transient, temporary, AS SELECT, CLONE) and CREATE VIEW."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Create) or tree.kind not in {"TABLE", "VIEW"}:
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if statement.describe_only:
        return result_set.message(_DONE)
    session.outside_transaction()
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name, kind = full_name(session, target), str(tree.kind)
    existed = _relation_kind(session, name)
    if existed and tree.args.get("exists"):
        return result_set.message(f"{shown(name.name)} already exists, statement succeeded.")
    if existed and not tree.args.get("replace"):
        raise already_exists(name.name)
    described = _Described()
    _take_properties(tree, described)
    _take_columns(tree, described)
    parameters = statement.bindings.values
    if streams := replace_streams(session, tree.copy()):
        if kind == "VIEW":
            raise unsupported(f"a view on the stream {streams[0].name}")
        # CREATE TABLE … AS SELECT consumes the streams that it reads.
        session.begin()
        consume(session, replace_streams(session, tree))

    def also(duck: duckdb.DuckDBPyConnection) -> None:
        path = quoted(name.name) if described.temporary else name.sql
        for column, comment in described.columns:
            duck.execute(f"COMMENT ON COLUMN {path}.{quoted(column)} IS {literal(comment)}")
        if not described.temporary:
            load_history.forget_table(duck, name)
            session.account.streams.forget_table(duck, name)

    try:
        prepared = session.translator.prepare(replace_functions(session, tree, parameters), parameters)
        described.lengths = [
            item for part in prepared for item in part.expression.args.get("text_lengths") or ()
        ]
        _run(session, prepared, also)
        session.commit()
    finally:
        session.rollback()
    if not described.temporary:
        _record(session, name, described)
        session.account.access.created(kind, str(name), session.role)
    return result_set.message(f"{kind.capitalize()} {shown(name.name)} successfully created.")


def _relation_kind(session: Session, name: FullName) -> str | None:
    rows = session.duck.execute(
        "SELECT table_type FROM system.information_schema.tables "
        "WHERE table_catalog = ? AND table_schema = ? AND table_name = ?",
        [name.database, name.schema, name.name],
    ).fetchall()
    return None if not rows else "VIEW" if rows[0][0] == "VIEW" else "TABLE"


def _is_temporary(session: Session, name: FullName) -> bool:
    return bool(
        session.duck.execute(
            "SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = ?", [name.name]
        ).fetchall()
    )


def _forget(session: Session, name: FullName) -> None:
    engine = session.account.engine
    where = "database_name = ? AND schema_name = ? AND table_name = ?"
    values = [name.database, name.schema, name.name]
    engine.write(f"DELETE FROM {ACCOUNT_STATE}._fs_keys WHERE {where}", values)
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )


def _record(session: Session, name: FullName, described: _Described) -> None:
    _forget(session, name)
    engine = session.account.engine
    for position, (column, kind) in enumerate(described.keys, 1):
        engine.write(
            f"INSERT INTO {ACCOUNT_STATE}._fs_keys VALUES (?, ?, ?, ?, ?, ?)",
            [name.database, name.schema, name.name, column, kind, position],
        )
    _record_lengths(session, name, described.lengths)
    if described.comment is not None:
        _record_comment(session, name, described.comment)


def _record_lengths(session: Session, name: FullName, lengths: Iterable[tuple[str, int]]) -> None:
    for column, length in lengths:
        session.account.engine.write(
            f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_columns_ext VALUES (?, ?, ?, ?, ?, ?)",
            [name.database, name.schema, name.name, column, length, min(length * 4, result_set.MAXIMUM_TEXT)],
        )


def _record_comment(session: Session, name: FullName, comment: str) -> None:
    session.account.engine.write(
        f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_tables_ext VALUES (?, ?, ?, ?)",
        [name.database, name.schema, name.name, comment],
    )


def create_sequence(session: Session, statement: Statement) -> result_set.Result:
    """CREATE SEQUENCE."""
    tree = parse(statement.sql)
    session.outside_transaction()
    _run(session, session.translator.prepare(tree), lambda _duck: None)
    return result_set.message(f"Sequence {_identifier(_inner(tree.this))} successfully created.")


def create_schema(session: Session, statement: Statement) -> result_set.Result:
    """CREATE SCHEMA; the new schema becomes current."""
    stream = TokenStream(statement.sql)
    stream.expect("CREATE")
    replace = stream.accept("OR", "REPLACE")
    stream.accept("TRANSIENT")
    stream.expect("SCHEMA")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    database, schema = _schema_name(session, stream.name())
    stream.accept("WITH", "MANAGED", "ACCESS")
    stream.properties(_SCHEMA_PROPERTIES)
    stream.end()
    session.outside_transaction()
    engine = session.account.engine
    _require_database(session, database)
    if engine.has_schema(database, schema):
        if if_not_exists:
            return result_set.message(f"{shown(schema)} already exists, statement succeeded.")
        if not replace:
            raise already_exists(schema)
        _drop_schema(session, database, schema)
    session.duck.execute(f"CREATE SCHEMA {quoted(database)}.{quoted(schema)}")
    session.account.access.created("SCHEMA", f"{shown(database)}.{shown(schema)}", session.role)
    session.translator.use(database, schema)
    return result_set.message(f"Schema {shown(schema)} successfully created.")


def _schema_name(session: Session, name: Name) -> tuple[str, str]:
    if name.database is not None:
        raise unsupported(f"a schema name of three parts ({name})")
    database = name.schema or session.database
    if database is None:
        raise SnowflakeError(
            90105,
            "22000",
            "This session does not have a current database. Call 'USE DATABASE', or use a qualified name.",
        )
    return database, name.name


def _require_database(session: Session, database: str) -> None:
    if database not in session.account.engine.databases():
        raise does_not_exist("Database", database)


def _drop_schema(session: Session, database: str, schema: str) -> None:
    engine = session.account.engine

    def work() -> None:
        session.duck.execute(f"DROP SCHEMA {quoted(database)}.{quoted(schema)} CASCADE")
        state = state_of(database)
        session.duck.execute(
            f"DELETE FROM {state}._fs_pipe_files WHERE pipe_id IN "
            f"(SELECT pipe_id FROM {state}._fs_pipes WHERE schema_name = ?)",
            [schema],
        )
        session.account.streams.forget_schema(session.duck, database, schema)
        for table in ("_fs_pipes", "_fs_table_loads", "_fs_tasks"):
            session.duck.execute(f"DELETE FROM {state}.{table} WHERE schema_name = ?", [schema])

    session.atomically(work)
    for table in ("_fs_stages", "_fs_file_formats", "_fs_stage_options", "_fs_keys"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE database_name = ? AND schema_name = ?",
            [database, schema],
        )
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE ext_table_catalog = ? AND ext_table_schema = ?",
            [database, schema],
        )
    session.account.access.dropped_container(f"{shown(database)}.{shown(schema)}")


def create_database(session: Session, statement: Statement) -> result_set.Result:
    """CREATE DATABASE; the new database and its PUBLIC schema become current."""
    stream = TokenStream(statement.sql)
    stream.expect("CREATE")
    replace = stream.accept("OR", "REPLACE")
    stream.accept("TRANSIENT")
    stream.expect("DATABASE")
    if_not_exists = stream.accept("IF", "NOT", "EXISTS")
    name = stream.identifier()
    stream.properties(_SCHEMA_PROPERTIES)
    stream.end()
    session.outside_transaction()
    if not session.account.engine.create_database(name, replace=replace, if_not_exists=if_not_exists):
        return result_set.message(f"{name} already exists, statement succeeded.")
    session.account.access.created("DATABASE", name, session.role)
    session.translator.use(name, PUBLIC_SCHEMA)
    return result_set.message(f"Database {name} successfully created.")


def drop_container(session: Session, statement: Statement) -> result_set.Result:
    """DROP DATABASE and DROP SCHEMA, with everything in them."""
    stream = TokenStream(statement.sql)
    stream.expect("DROP")
    kind = stream.word()
    if_exists = stream.accept("IF", "EXISTS")
    name = stream.name()
    if not stream.accept("CASCADE") and stream.accept("RESTRICT"):
        raise unsupported(f"DROP {kind} … RESTRICT")
    stream.end()
    session.outside_transaction()
    if kind == "DATABASE":
        database = name.name
        if session.database == database:
            session.translator.use(None, None)
        dropped = session.account.engine.drop_database(database, if_exists=if_exists)
        session.account.access.dropped_container(shown(database))
    else:
        database, schema = _schema_name(session, name)
        dropped = session.account.engine.has_schema(database, schema)
        if not dropped and not if_exists:
            raise does_not_exist("Schema", str(name))
        if dropped:
            if (session.database, session.schema) == (database, schema):
                session.translator.use(database, None)
            _drop_schema(session, database, schema)
    if not dropped:
        return result_set.message(f"Drop statement executed successfully ({name} already dropped).")
    return result_set.message(f"{name.name} successfully dropped.")


def drop_relation(session: Session, statement: Statement) -> result_set.Result:
    """DROP TABLE, VIEW and SEQUENCE."""
    stream = TokenStream(statement.sql)
    stream.expect("DROP")
    kind = stream.word()
    if_exists = stream.accept("IF", "EXISTS")
    name = session.resolve(stream.name())
    if not stream.accept("CASCADE"):
        stream.accept("RESTRICT")
    stream.end()
    session.outside_transaction()
    if kind == "TABLE" and _is_temporary(session, name):
        session.duck.execute(f"DROP TABLE temp.main.{quoted(name.name)}")
        return result_set.message(f"{shown(name.name)} successfully dropped.")
    if kind != "SEQUENCE":
        existing = _relation_kind(session, name)
        if existing is None:
            if not if_exists:
                raise does_not_exist(kind.capitalize(), str(name))
            return result_set.message(
                f"Drop statement executed successfully ({shown(name.name)} already dropped)."
            )
        if existing != kind:
            raise SnowflakeError(
                2203,
                "02000",
                f"SQL compilation error:\nObject found is of type '{existing}', not specified type '{kind}'.",
            )

    def work() -> None:
        session.duck.execute(f"DROP {kind} {'IF EXISTS ' if if_exists else ''}{name.sql}")
        load_history.forget_table(session.duck, name)
        session.account.streams.forget_table(session.duck, name)

    session.atomically(work)
    _forget(session, name)
    session.account.access.dropped(kind, str(name))
    return result_set.message(f"{shown(name.name)} successfully dropped.")


_ALTER_ACTIONS = (
    exp.ColumnDef, exp.Drop, exp.AlterRename, exp.RenameColumn, exp.AlterColumn, exp.ClusterProperty, exp.Cluster,
    exp.AlterSet,
)  # fmt: skip


def alter_table_or_view(session: Session, statement: Statement) -> result_set.Result:
    """ALTER TABLE / VIEW: add, drop, rename and change columns, rename, comments, clustering, retention."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Alter) or tree.kind not in {"TABLE", "VIEW"}:
        raise unsupported(statement.sql[:200])
    session.outside_transaction()
    name = full_name(session, tree.this)
    if _relation_kind(session, name) is None:
        if tree.args.get("exists"):
            return result_set.message(_DONE)
        raise does_not_exist(str(tree.kind).capitalize(), str(name))
    actions: list[Expr] = []
    described = _Described()
    renamed: FullName | None = None
    for action in tree.args["actions"]:
        if not isinstance(action, _ALTER_ACTIONS):
            raise unsupported(f"ALTER {tree.kind} … {action.sql(dialect='snowflake')[:100]}")
        if isinstance(action, exp.AlterSet):
            _take_setting(action, described)
        elif isinstance(action, exp.AlterColumn) and (comment := action.args.get("comment")) is not None:
            described.columns.append((_identifier(_inner(action.this)), comment.name))
        elif not isinstance(action, exp.Cluster | exp.ClusterProperty):
            if isinstance(action, exp.ColumnDef):
                _take_constraints(action, described)
            if isinstance(action, exp.AlterRename):
                renamed = full_name(session, action.this)
                if (renamed.database, renamed.schema) != (name.database, name.schema):
                    raise unsupported("a rename into another schema")
            actions.append(action)
    prepared: list[Prepared] = []
    if actions:
        tree.set("actions", actions)
        prepared = session.translator.prepare(tree)
    lengths = [item for part in prepared for item in part.expression.args.get("text_lengths") or ()]

    def also(duck: duckdb.DuckDBPyConnection) -> None:
        for column, comment in described.columns:
            duck.execute(f"COMMENT ON COLUMN {name.sql}.{quoted(column)} IS {literal(comment)}")
        if renamed is not None:
            load_history.rename_table(duck, name, renamed)
            session.account.streams.rename_table(duck, name, renamed)
        for action in actions:
            for column, new in _changed_columns(action):
                session.account.streams.change_column(duck, name, column, new)

    _run(session, prepared, also)
    _record_lengths(session, name, lengths)
    if described.comment is not None:
        _record_comment(session, name, described.comment)
    if renamed is not None:
        _rename_records(session, name, renamed)
    return result_set.message(_DONE)


def _take_setting(action: exp.AlterSet, described: _Described) -> None:
    for item in action.expressions:
        if isinstance(item, exp.SchemaCommentProperty):
            described.comment = item.this.name
        elif not (isinstance(item, exp.Property | exp.EQ) and item.this.name.upper() in _RETENTION):
            raise unsupported(f"ALTER … SET {item.sql(dialect='snowflake')[:100]}")
    if not action.expressions:
        raise unsupported(f"ALTER … {action.sql(dialect='snowflake')[:100]}")


def _changed_columns(action: Expr) -> list[tuple[str, str | None]]:
    """Columns that an action of ALTER TABLE renames, or drops (None)."""
    if isinstance(action, exp.RenameColumn):
        return [(_identifier(_inner(action.this)), _identifier(_inner(action.args["to"])))]
    if isinstance(action, exp.Drop):
        return [(_identifier(_inner(column)), None) for column in action.args.get("tables") or ()]
    return []


def _rename_records(session: Session, name: FullName, new: FullName) -> None:
    engine = session.account.engine
    values = [new.name, name.database, name.schema, name.name]
    engine.write(
        f"UPDATE {ACCOUNT_STATE}._fs_keys SET table_name = ? "
        "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
        values,
    )
    for table in ("_fs_tables_ext", "_fs_columns_ext"):
        engine.write(
            f"UPDATE {ACCOUNT_STATE}.{table} SET ext_table_name = ? "
            "WHERE ext_table_catalog = ? AND ext_table_schema = ? AND ext_table_name = ?",
            values,
        )


def comment_on(session: Session, statement: Statement) -> result_set.Result:
    """COMMENT ON TABLE, VIEW and COLUMN."""
    stream = TokenStream(statement.sql)
    stream.expect("COMMENT")
    if_exists = stream.accept("IF", "EXISTS")
    stream.expect("ON")
    kind = stream.word()
    if kind not in {"TABLE", "VIEW", "COLUMN"}:
        raise unsupported(f"COMMENT ON {kind}")
    parts = [stream.identifier()]
    while stream.accept_symbol("."):
        parts.append(stream.identifier())
    stream.expect("IS")
    comment = stream.string()
    stream.end()
    session.outside_transaction()
    column = parts.pop() if kind == "COLUMN" else None
    if not parts or len(parts) > 3:
        raise stream.unexpected()
    name = session.resolve(Name.of(parts))
    if _relation_kind(session, name) is None:
        if if_exists:
            return result_set.message(_DONE)
        raise does_not_exist("Table" if column else kind.capitalize(), str(name))
    if column is not None:
        session.duck.execute(f"COMMENT ON COLUMN {name.sql}.{quoted(column)} IS {literal(comment)}")
    else:
        _record_comment(session, name, comment)
    return result_set.message(_DONE)
