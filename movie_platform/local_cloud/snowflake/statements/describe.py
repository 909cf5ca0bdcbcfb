"""DESCRIBE TABLE and VIEW."""

from movie_platform.local_cloud.snowflake.errors import does_not_exist, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state import key_records
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.relation_catalog import columns_of
from movie_platform.local_cloud.snowflake.statements.authorizing import sees
from movie_platform.local_cloud.snowflake.statements.named_objects import read_describe
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.table_definition import PRIMARY_KEY, UNIQUE
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

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
    columns = columns_of(session.duck, session.translator.temporaries.located(name))
    if not columns:
        raise does_not_exist(kind.capitalize(), str(name))
    _require_seen(session, kind, name)
    keys = {
        (column, key.kind)
        for key in key_records.keys_of(session.account.engine, name)
        for column in key.columns
    }
    rows = [
        (
            column.name, column.type, "COLUMN", "Y" if column.nullable else "N", column.default,
            "Y" if (column.name, PRIMARY_KEY) in keys else "N", "Y" if (column.name, UNIQUE) in keys else "N",
            None, None, column.comment, None, None,
        )
        for column in columns
    ]  # fmt: skip
    return result_set.rows_result(_RESULT, rows, result_set.DESCRIBE)


def _require_seen(session: Session, kind: str, name: FullName) -> None:
    access = session.account.access
    for each in ("TABLE", "VIEW", "STREAM"):
        securable = Securable.in_schema(each, name)
        if access.privileges.owner(securable) is not None and not sees(session, securable):
            raise does_not_exist(kind.capitalize(), str(name))
