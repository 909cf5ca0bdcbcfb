"""Parameters of warehouses, databases, schemas and tables, as SHOW PARAMETERS IN shows them.

Sources: Snowflake documentation, "SHOW PARAMETERS" and "Parameters" (object parameters and their defaults). `level` is
the kind of the object that a value is set on, and empty for a default.
"""

from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import retention
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import require_seen
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

Row = tuple[str, str, str, str, str, str]

_WAREHOUSE_DEFAULTS = {
    "MAX_CONCURRENCY_LEVEL": 8,
    "STATEMENT_QUEUED_TIMEOUT_IN_SECONDS": 0,
    "STATEMENT_TIMEOUT_IN_SECONDS": 172800,
}


def read_place(session: Session, stream: TokenStream) -> list[Row] | None:
    """Takes `IN | FOR <kind> name` and gives the object's parameters; takes nothing and gives None for other places."""
    for kind, rows in (
        ("WAREHOUSE", _of_warehouse),
        ("DATABASE", _of_database),
        ("SCHEMA", _of_schema),
        ("TABLE", _of_table),
    ):
        if stream.accept("IN", kind) or stream.accept("FOR", kind):
            return rows(session, stream)
    return None


def _of_warehouse(session: Session, stream: TokenStream) -> list[Row]:
    name = stream.identifier()
    require_seen(session, Securable("WAREHOUSE", name))
    found = session.account.access.require("WAREHOUSE", name).properties
    return [
        _row(key, found.get(key, default), default, "WAREHOUSE" if key in found else "")
        for key, default in _WAREHOUSE_DEFAULTS.items()
    ]


def _of_database(session: Session, stream: TokenStream) -> list[Row]:
    database = stream.identifier()
    require_seen(session, Securable.database(database))
    return _retention(session, FullName(database, "", ""))


def _of_schema(session: Session, stream: TokenStream) -> list[Row]:
    name = stream.name()
    database, schema = name.schema or session.database or "", name.name
    require_seen(session, Securable.schema(database, schema))
    return _retention(session, FullName(database, schema, ""))


def _of_table(session: Session, stream: TokenStream) -> list[Row]:
    name = session.resolve(stream.name())
    require_seen(session, Securable.in_schema("TABLE", name))
    return _retention(session, name)


def _retention(session: Session, place: FullName) -> list[Row]:
    engine = session.account.engine
    levels = [("DATABASE", FullName(place.database, "", ""))]
    if place.schema:
        levels.append(("SCHEMA", FullName(place.database, place.schema, "")))
    if place.name:
        levels.append(("TABLE", place))
    values: dict[str, tuple[int, str]] = {key: (default, "") for key, default in retention.DEFAULTS.items()}
    for level, key in levels:
        values.update({name: (days, level) for name, days in retention.own(engine, key).items()})
    return [_row(name, value, retention.DEFAULTS[name], level) for name, (value, level) in values.items()]


def _row(key: str, value: object, default: object, level: str) -> Row:
    return (key, str(value), str(default), level, "", "NUMBER")
