"""CREATE OR ALTER of a database or schema that is there: its properties become what the statement says.

What the statement does not name goes back to its default. Sources: Snowflake documentation, "CREATE OR ALTER <object>",
"CREATE SCHEMA", "CREATE DATABASE" (usage notes of CREATE OR ALTER): TRANSIENT cannot be changed.
"""

from collections.abc import Mapping

from movie_platform.local_cloud.snowflake.errors import beyond_alter
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state import object_records, retention
from movie_platform.local_cloud.snowflake.statements.named_objects import Creation
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import FullName
from movie_platform.local_cloud.snowflake.text.tokens import Value


def described_by(creation: Creation, properties: Mapping[str, Value]) -> dict[str, object_records.Property]:
    """The properties that are recorded of a container."""
    comment = properties.get("COMMENT")
    return {
        "COMMENT": None if comment is None else str(comment),
        "TRANSIENT": creation.kind.startswith("TRANSIENT"),
    }


def alter_container(
    session: Session,
    kind: str,
    key: FullName,
    described: Mapping[str, object_records.Property],
    days: Mapping[str, int],
) -> result_set.Result:
    """Makes a container's properties and parameters what they are here, and nothing else.

    Raises SnowflakeError where it would become TRANSIENT, or cease to be.
    """
    engine = session.account.engine
    known = object_records.find(engine, key)
    was_transient = known is not None and bool(known.properties.get("TRANSIENT"))
    if was_transient != bool(described["TRANSIENT"]):
        raise beyond_alter(
            f"CREATE OR ALTER {kind} that makes a transient {kind.lower()} permanent, or the reverse"
        )
    session.outside_transaction()
    object_records.set_properties(engine, kind, key, described)
    retention.set_only(engine, key, days)
    return result_set.done()
