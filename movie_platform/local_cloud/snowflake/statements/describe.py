# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""DESCRIBE TABLE and VIEW, SHOW PRIMARY KEYS."""

from movie_platform.local_cloud.snowflake.errors import does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import sees
from movie_platform.local_cloud.snowflake.statements.named_objects import read_describe
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_COLUMNS = f"""
SELECT column_name,
    CASE data_type
        WHEN 'NUMBER' THEN 'NUMBER(' || numeric_precision || ',' || coalesce(numeric_scale, 0) || ')'
        WHEN 'TEXT' THEN 'VARCHAR(' || coalesce(character_maximum_length, 16777216) || ')'
        WHEN 'TIMESTAMP_NTZ' THEN 'TIMESTAMP_NTZ(9)'
        WHEN 'TIMESTAMP_TZ' THEN 'TIMESTAMP_TZ(9)'
        WHEN 'TIME' THEN 'TIME(9)'
        WHEN 'BINARY' THEN 'BINARY(8388608)'
        WHEN 'HUGEINT' THEN 'NUMBER(38,0)'
        WHEN 'INTEGER' THEN 'NUMBER(38,0)'
        ELSE data_type
    END,
    is_nullable = 'YES', column_default, comment
FROM {ACCOUNT_STATE}._fs_columns
WHERE table_catalog = ? AND table_schema = ? AND table_name = ?
ORDER BY ordinal_position
"""
_RESULT = tuple(
    (name, "text")
    for name in (
        "name", "type", "kind", "null?", "default", "primary key", "unique key", "check", "expression", "comment",
        "policy name", "privacy domain",
    )
)  # fmt: skip


def describe_table(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE TABLE / VIEW: a row a column, comments included."""
    stream = TokenStream(statement.sql)
    kind = read_describe(stream, "TABLE", "VIEW")
    name = session.resolve(stream.name())
    if stream.accept("TYPE"):
        stream.expect_symbol("=")
        if stream.word() != "COLUMNS":
            raise unsupported(f"DESCRIBE {kind} … TYPE = STAGE")
    stream.end()
    values = [name.database, name.schema, name.name]
    columns = session.duck.execute(_COLUMNS, values).fetchall()
    if not columns:
        raise does_not_exist(kind.capitalize(), str(name))
    _require_seen(session, kind, name)
    keys = set(
        session.account.engine.query(
            f"SELECT column_name, kind FROM {ACCOUNT_STATE}._fs_keys "
            "WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            values,
        )
    )
    rows = [
        (
            column, kind_of, "COLUMN", "Y" if nullable else "N", default,
            "Y" if (column, "PrimaryKey") in keys else "N",
            "Y" if (column, "UniqueColumnConstraint") in keys else "N",
            None, None, comment, None, None,
        )
        for column, kind_of, nullable, default, comment in columns
    ]  # fmt: skip
    return result_set.rows_result(_RESULT, rows, result_set.DESCRIBE)


def _require_seen(session: Session, kind: str, name: FullName) -> None:
    access = session.account.access
    for each in ("TABLE", "VIEW", "STREAM"):
        securable = Securable.in_schema(each, name)
        if access.privileges.owner(securable) is not None and not sees(session, securable):
            raise does_not_exist(kind.capitalize(), str(name))


def show_primary_keys(session: Session, statement: Statement) -> result_set.Result:
    """SHOW PRIMARY KEYS [IN [TABLE] name | IN SCHEMA name | IN DATABASE name | IN ACCOUNT]."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW", "PRIMARY", "KEYS")
    where: dict[str, str] = {}
    if stream.accept("IN"):
        if stream.accept("SCHEMA"):
            name = stream.name()
            where = {"database_name": name.schema or session.database or "", "schema_name": name.name}
        elif stream.accept("DATABASE"):
            where = {"database_name": stream.identifier()}
        elif not stream.accept("ACCOUNT"):
            stream.accept("TABLE")
            table = session.resolve(stream.name())
            where = {"database_name": table.database, "schema_name": table.schema, "table_name": table.name}
    elif session.database is not None:
        where = {"database_name": session.database}
    stream.end()
    conditions = "".join(f" AND {column} = ?" for column in where)
    rows = session.account.engine.query(
        "SELECT '1970-01-01', database_name, schema_name, table_name, column_name, key_sequence, "
        "'SYS_CONSTRAINT_' || table_name, 'false', NULL "
        f"FROM {ACCOUNT_STATE}._fs_keys WHERE kind = 'PrimaryKey'{conditions} ORDER BY ALL",
        list(where.values()),
    )
    names = [
        ("created_on", "text"), ("database_name", "text"), ("schema_name", "text"), ("table_name", "text"),
        ("column_name", "text"), ("key_sequence", "fixed"), ("constraint_name", "text"), ("rely", "text"),
        ("comment", "text"),
    ]  # fmt: skip
    return result_set.rows_result(names, rows)
