"""Whether a session may do what a statement asks for: every statement asks here, `state.privileges` decides.

Sources: Snowflake documentation, "Overview of access control" and "Access control privileges"
(docs.snowflake.com/en/user-guide/security-access-control-privileges), "USE SECONDARY ROLES" (…/sql/use-secondary-roles:
CREATE is authorized by the primary role alone), and the "Access control requirements" of each statement's page.
"""

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, does_not_exist
from movie_platform.local_cloud.snowflake.session import Session
from movie_platform.local_cloud.snowflake.state.privileges import ACCOUNT, OWNERSHIP, Securable, Verdict
from movie_platform.local_cloud.snowflake.text.names import FullName

ADMINISTRATOR = "ACCOUNTADMIN"


def require(session: Session, securable: Securable, *any_of: str) -> None:
    """Raises SnowflakeError unless the session's roles own the object or have one of the privileges on it.

    002003 where they may not know of it, 003001 where they may.
    """
    verdict, found = session.account.access.privileges.decide(session.roles(), securable, any_of)
    _raise_unless_allowed(session, verdict, found)


def may(session: Session, securable: Securable, *any_of: str) -> bool:
    """Whether the session's roles own the object or have one of the privileges on it."""
    verdict, _ = session.account.access.privileges.decide(session.roles(), securable, any_of)
    return verdict is Verdict.ALLOWED


def require_to_create(session: Session, container: Securable, privilege: str) -> None:
    """As `require`, of the primary role alone: it becomes the owner of what is created."""
    privileges = session.account.access.privileges
    verdict, found = privileges.decide(privileges.with_inherited([session.role]), container, [privilege])
    _raise_unless_allowed(session, verdict, found)


def require_to_create_in_schema(session: Session, kind: str, name: FullName) -> None:
    """What CREATE <kind> needs of the schema; where there is none, the statement says so itself."""
    if session.account.engine.has_schema(name.database, name.schema):
        require_to_create(session, Securable.schema(name.database, name.schema), f"CREATE {kind}")


def require_ownership(session: Session, kind: str, name: FullName) -> None:
    """Raises SnowflakeError unless one of the session's roles owns the object in a schema."""
    require(session, Securable.in_schema(kind, name), OWNERSHIP)


def require_administrator(session: Session) -> None:
    """Raises SnowflakeError 003001 unless ACCOUNTADMIN is among the session's roles."""
    if ADMINISTRATOR not in session.roles():
        _raise_unless_allowed(session, Verdict.INSUFFICIENT, ACCOUNT)


def sees(session: Session, securable: Securable) -> bool:
    """Whether SHOW lists an object to the session."""
    return session.account.access.privileges.sees(session.roles(), securable)


def require_seen(session: Session, securable: Securable) -> None:
    """Raises SnowflakeError 002003 where the session may not know of an object: it has no privilege on it."""
    for each in (*securable.containers, securable):
        if not sees(session, each):
            raise does_not_exist(each.kind.capitalize(), each.name)


def _raise_unless_allowed(session: Session, verdict: Verdict, found: Securable) -> None:
    if verdict is Verdict.HIDDEN:
        raise does_not_exist(found.kind.capitalize(), found.name)
    if verdict is Verdict.INSUFFICIENT:
        raise insufficient(session, found)


def insufficient(session: Session, securable: Securable) -> SnowflakeError:
    """Snowflake's refusal where the object may be known."""
    name = session.account.name if securable == ACCOUNT else securable.name
    own = name.removeprefix(f"{securable.containers[-1].name}.") if securable.containers else name
    return SnowflakeError(
        3001,
        "42501",
        f"SQL access control error:\nInsufficient privileges to operate on {securable.kind.lower()} '{own}'.",
    )
