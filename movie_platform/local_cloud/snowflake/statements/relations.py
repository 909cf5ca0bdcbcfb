"""CREATE, ALTER and DROP of tables, views and sequences, and COMMENT ON."""

from collections.abc import Callable, Iterable

import duckdb
from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import load_history, retention, table_records
from movie_platform.local_cloud.snowflake.state.privileges import OWNERSHIP, Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import kind_of
from movie_platform.local_cloud.snowflake.state.translate import Prepared, parse
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_to_create_in_schema,
)
from movie_platform.local_cloud.snowflake.statements.dml import full_name
from movie_platform.local_cloud.snowflake.statements.functions import replace_functions
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    Creation,
    created,
    dropped,
    read_drop,
)
from movie_platform.local_cloud.snowflake.statements.needing_a_warehouse import require_warehouse
from movie_platform.local_cloud.snowflake.statements.reading import authorize, reads
from movie_platform.local_cloud.snowflake.statements.reading_streams import consume, replace_streams
from movie_platform.local_cloud.snowflake.statements.table_clauses import (
    Described,
    changed_columns,
    identifier,
    innermost,
    take_columns,
    take_constraints,
    take_properties,
    take_setting,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, Name, literal, quoted, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


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
    """CREATE TABLE (plain, transient, AS SELECT, CLONE) and CREATE VIEW."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Create) or tree.kind not in {"TABLE", "VIEW"}:
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if statement.describe_only:
        return result_set.done()
    session.outside_transaction()
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name, kind = full_name(session, target), str(tree.kind)
    existed = _relation_kind(session, name)
    require_to_create_in_schema(session, kind, name)
    if existed:
        creation = Creation(
            kind, replace=bool(tree.args.get("replace")), if_not_exists=bool(tree.args.get("exists"))
        )
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
        require(session, Securable.in_schema(existed, name), OWNERSHIP)
    sources = reads(session, tree)
    authorize(session, sources)
    if kind == "TABLE" and isinstance(tree.expression, exp.Query | exp.Values):
        require_warehouse(session)
    described = Described()
    take_properties(tree, described)
    take_columns(tree, described)
    parameters = statement.bindings.values
    if streams := replace_streams(session, tree.copy()):
        if kind == "VIEW":
            raise unsupported(f"a view on the stream {streams[0].name}")
        # CREATE TABLE … AS SELECT consumes the streams that it reads.
        session.begin()
        consume(session, replace_streams(session, tree))

    def also(duck: duckdb.DuckDBPyConnection) -> None:
        for column, comment in described.columns:
            duck.execute(f"COMMENT ON COLUMN {name.sql}.{quoted(column)} IS {literal(comment)}")
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
    table_records.record(session.account.engine, name, described.lengths, described.comment)
    retention.forget(session.account.engine, name)
    retention.record(session.account.engine, name.database, name.schema, name.name, described.retention)
    if existed and existed != kind:
        session.account.access.dropped(existed, str(name))
    if kind == "VIEW":
        session.account.access.note_view_sources(name, [source.name for source in sources])
    session.account.access.created(kind, str(name), session.role)
    return created(kind, shown(name.name))


def _relation_kind(session: Session, name: FullName) -> str | None:
    return kind_of(session.duck, name)


def create_sequence(session: Session, statement: Statement) -> result_set.Result:
    """CREATE SEQUENCE."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Table):
        raise unsupported(statement.sql[:200])
    name = full_name(session, tree.this)
    require_to_create_in_schema(session, "SEQUENCE", name)
    session.outside_transaction()
    _run(session, session.translator.prepare(tree), lambda _duck: None)
    if session.account.access.privileges.owner(Securable.in_schema("SEQUENCE", name)) is None:
        session.account.access.created("SEQUENCE", str(name), session.role)
    return result_set.message(f"Sequence {identifier(innermost(tree.this))} successfully created.")


def drop_relation(session: Session, statement: Statement) -> result_set.Result:
    """DROP TABLE, VIEW and SEQUENCE."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "TABLE", "VIEW", "SEQUENCE")
    kind = drop.kind
    name = session.resolve(stream.name())
    if not stream.accept("CASCADE"):
        stream.accept("RESTRICT")
    stream.end()
    session.outside_transaction()
    if kind != "SEQUENCE":
        existing = _relation_kind(session, name)
        if existing is None:
            return drop.drop_missing(str(name), shown(name.name))
        if existing != kind:
            raise SnowflakeError(
                2203,
                "02000",
                f"SQL compilation error:\nObject found is of type '{existing}', not specified type '{kind}'.",
            )
        require(session, Securable.in_schema(kind, name), OWNERSHIP)
    elif session.account.access.privileges.owner(Securable.in_schema(kind, name)) is not None:
        require(session, Securable.in_schema(kind, name), OWNERSHIP)

    def work() -> None:
        session.duck.execute(f"DROP {kind} {'IF EXISTS ' if drop.if_exists else ''}{name.sql}")
        load_history.forget_table(session.duck, name)
        session.account.streams.forget_table(session.duck, name)

    session.atomically(work)
    table_records.forget(session.account.engine, name)
    retention.forget(session.account.engine, name)
    session.account.access.dropped(kind, str(name))
    return dropped(shown(name.name))


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
            return result_set.done()
        raise does_not_exist(str(tree.kind).capitalize(), str(name))
    if session.translator.temporaries.kind_of(name) is None:
        require(session, Securable.in_schema(str(tree.kind), name), OWNERSHIP)
    actions: list[Expr] = []
    described = Described()
    renamed: FullName | None = None
    for action in tree.args["actions"]:
        if not isinstance(action, _ALTER_ACTIONS):
            raise unsupported(f"ALTER {tree.kind} … {action.sql(dialect='snowflake')[:100]}")
        if isinstance(action, exp.AlterSet):
            take_setting(action, described)
        elif isinstance(action, exp.AlterColumn) and (comment := action.args.get("comment")) is not None:
            described.columns.append((identifier(innermost(action.this)), comment.name))
        elif not isinstance(action, exp.Cluster | exp.ClusterProperty):
            if isinstance(action, exp.ColumnDef):
                take_constraints(action, described)
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
            for column, new in changed_columns(action):
                session.account.streams.change_column(duck, name, column, new)

    _run(session, prepared, also)
    for action in actions:
        for column, new in changed_columns(action):
            table_records.change_column(session.account.engine, name, column, new)
    table_records.record_lengths(session.account.engine, name, lengths)
    if described.comment is not None:
        table_records.record_comment(session.account.engine, name, described.comment)
    retention.record(session.account.engine, name.database, name.schema, name.name, described.retention)
    if renamed is not None:
        retention.rename(session.account.engine, name, renamed)
        table_records.rename(session.account.engine, name, renamed)
        session.account.access.renamed(str(tree.kind), str(name), str(renamed))
    return result_set.done()


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
            return result_set.done()
        raise does_not_exist("Table" if column else kind.capitalize(), str(name))
    if session.translator.temporaries.kind_of(name) is None:
        require(session, Securable.in_schema(str(_relation_kind(session, name)), name), OWNERSHIP)
    if column is not None:
        session.duck.execute(f"COMMENT ON COLUMN {name.sql}.{quoted(column)} IS {literal(comment)}")
    else:
        table_records.record_comment(session.account.engine, name, comment)
    return result_set.done()
