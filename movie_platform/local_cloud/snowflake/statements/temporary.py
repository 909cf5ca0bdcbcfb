"""CREATE and DROP of temporary tables and views, which their session alone sees and which end with it.

Sources: Snowflake documentation, "CREATE TABLE", "CREATE VIEW" (TEMPORARY), "Working with Temporary and Transient
Tables". Of a temporary table, keys are read and not recorded.
"""

from sqlglot import exp

from movie_platform.local_cloud.snowflake.errors import compilation_error, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import kind_of
from movie_platform.local_cloud.snowflake.state.temporary_relations import move
from movie_platform.local_cloud.snowflake.state.translate import parse
from movie_platform.local_cloud.snowflake.statements import relations
from movie_platform.local_cloud.snowflake.statements.authorizing import require_seen
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
    take_columns,
    take_properties,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName, literal, quoted, shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream


def create_temporary(session: Session, statement: Statement) -> result_set.Result:
    """CREATE TEMPORARY TABLE or VIEW; the statement has its keys and synonyms taken out already."""
    tree = parse(statement.sql)
    if not isinstance(tree, exp.Create) or tree.kind not in {"TABLE", "VIEW"}:
        raise unsupported(tree.sql(dialect="snowflake")[:200])
    if statement.describe_only:
        return result_set.done()
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    name, kind = full_name(session, target), str(tree.kind)
    session.account.engine.require_schema(name.database, name.schema)
    # "CREATE TABLE": a temporary table needs no privilege on the schema but to use it.
    require_seen(session, Securable.schema(name.database, name.schema))
    _check_kind(session, name, kind)
    temporaries = session.translator.temporaries
    if temporaries.kind_of(name) is not None:
        creation = Creation(kind, bool(tree.args.get("replace")), bool(tree.args.get("exists")))
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
    authorize(session, reads(session, tree))
    if kind == "TABLE" and isinstance(tree.expression, exp.Query | exp.Values):
        require_warehouse(session)
    session.outside_transaction()
    described = Described()
    take_properties(tree, described)
    take_columns(tree, described)
    _create(session, tree, target, name, described, statement)
    temporaries.add(name, kind)
    return created(kind, shown(name.name))


def _check_kind(session: Session, name: FullName, kind: str) -> None:
    # A table does not hide a view, nor a view a table.
    for found in (session.translator.temporaries.kind_of(name), kind_of(session.duck, name)):
        if found not in (None, kind):
            raise compilation_error(2002, "42710", f"Object '{name.name}' already exists as {found}")


def _create(
    session: Session,
    tree: exp.Create,
    target: exp.Table,
    name: FullName,
    described: Described,
    statement: Statement,
) -> None:
    parameters = statement.bindings.values
    if found := replace_streams(session, tree.copy()):
        if tree.kind == "VIEW":
            raise unsupported(f"a view on the stream {found[0].name}")
        session.begin()
        consume(session, replace_streams(session, tree))
    if tree.kind == "VIEW":
        _qualify(session, tree)
    place = session.translator.temporaries.place(name)
    move(target, place)

    try:
        prepared = session.translator.prepare(replace_functions(session, tree, parameters), parameters)

        def work() -> None:
            for part in prepared:
                session.duck.execute(part.sql, part.parameters)
            for column, comment in described.columns:
                session.duck.execute(f"COMMENT ON COLUMN {place.sql}.{quoted(column)} IS {literal(comment)}")

        session.atomically(work)
        session.commit()
    finally:
        session.rollback()


def _qualify(session: Session, tree: exp.Create) -> None:
    # A view reads the same tables wherever its session goes: DuckDB would look for them in the schema of the moment.
    query = tree.expression
    names = {str(item.alias).upper() for item in query.find_all(exp.CTE)}
    for table in query.find_all(exp.Table):
        plain = isinstance(table.this, exp.Identifier) and table.args.get("catalog") is None
        if plain and not (table.args.get("db") is None and table.name.upper() in names):
            name = full_name(session, table)
            if table.args.get("alias") is None:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name.name, quoted=True)))
            move(table, name)


def drop(session: Session, statement: Statement) -> result_set.Result:
    """DROP TABLE and DROP VIEW: of the temporary one, where there is one of the name."""
    stream = TokenStream(statement.sql)
    kind = read_drop(stream, "TABLE", "VIEW").kind
    name = session.resolve(stream.name())
    temporaries = session.translator.temporaries
    if temporaries.kind_of(name) != kind:
        return relations.drop_relation(session, statement)
    if not stream.accept("CASCADE"):
        stream.accept("RESTRICT")
    stream.end()
    session.outside_transaction()
    session.duck.execute(f"DROP {kind} {temporaries.place(name).sql}")
    temporaries.remove(name)
    return dropped(shown(name.name))
