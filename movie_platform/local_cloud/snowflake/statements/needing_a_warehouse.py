"""Which queries need a virtual warehouse, and that a session has one that runs.

Sources: Snowflake documentation, "Overview of warehouses" (docs.snowflake.com/en/user-guide/warehouses-overview:
queries and DML need a running one as the session's current warehouse), "Snowflake Information Schema" (its views need
one, SHOW does not). What the services layer answers by itself needs none: DDL, SHOW, DESCRIBE, USE, constants, context
functions, results that are kept.
"""

from sqlglot import Expr, exp

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.statements.authorizing import may
from movie_platform.local_cloud.snowflake.statements.reading import tables_read


def needs_warehouse(query: Expr) -> bool:
    """Whether a query reads anything but constants, functions of the session and kept results."""
    return bool(tables_read(query)) or any(
        not _is_kept_result(function) for function in query.find_all(exp.TableFromRows)
    )


def _is_kept_result(function: exp.TableFromRows) -> bool:
    inner = function.this
    return isinstance(inner, exp.Anonymous) and inner.name.upper() == "RESULT_SCAN"


def require_warehouse(session: Session) -> None:
    """Raises SnowflakeError 000606 where the session has no warehouse that it may use and that runs or is resumed."""
    if session.serverless:
        return
    found = None
    if session.warehouse is not None:
        found = session.account.access.find("WAREHOUSE", session.warehouse)
    usable = session.warehouse is not None and may(
        session, Securable("WAREHOUSE", session.warehouse), "USAGE"
    )
    if (
        found is None
        or not usable
        or not _runs(found.properties.get("STATE"), found.properties.get("AUTO_RESUME"))
    ):
        raise SnowflakeError(
            606,
            "57P03",
            "No active warehouse selected in the current session.  "
            "Select an active warehouse with the 'use warehouse' command.",
        )


def _runs(state: object, auto_resume: object) -> bool:
    return state != "SUSPENDED" or auto_resume is not False
