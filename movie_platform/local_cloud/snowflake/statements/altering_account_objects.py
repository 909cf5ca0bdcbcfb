"""CREATE OR ALTER of a warehouse or role that is there: its properties become what the statement says.

Sources: Snowflake documentation, "CREATE WAREHOUSE", "CREATE ROLE" (usage notes of CREATE OR ALTER): what is not
named is unset; INITIALLY_SUSPENDED cannot be altered, and whether a warehouse runs is not its definition.
"""

from collections.abc import Mapping
from typing import Any

from movie_platform.local_cloud.snowflake.errors import beyond_alter
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.access_store import AccountObject
from movie_platform.local_cloud.snowflake.text import result_set

_FIRST_STATE = "INITIALLY_SUSPENDED"
_KEPT = frozenset({"STATE", _FIRST_STATE})


def alter_to(
    session: Session, found: AccountObject, comment: str, properties: Mapping[str, Any]
) -> result_set.Result:
    """Makes the properties of an object what they are here.

    Raises SnowflakeError for another INITIALLY_SUSPENDED than the object was made with.
    """
    if _FIRST_STATE in properties and properties[_FIRST_STATE] != found.properties.get(_FIRST_STATE, False):
        raise beyond_alter(f"CREATE OR ALTER {found.kind} with another {_FIRST_STATE}")
    session.outside_transaction()
    unset = {name: None for name in found.properties if name not in _KEPT}
    session.account.access.alter(found, comment=comment, properties={**unset, **properties})
    return result_set.done()
