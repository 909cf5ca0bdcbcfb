"""Parameters: ALTER ACCOUNT, ALTER SESSION, SHOW PARAMETERS; ALTER USER and CREATE USER take what is here too.

Sources: Snowflake documentation, "ALTER ACCOUNT", "ALTER SESSION", "ALTER USER", "SHOW PARAMETERS", "Parameters".
"""

from collections.abc import Callable, Iterable, Mapping

from movie_platform.local_cloud.snowflake.errors import SnowflakeError
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.parameter_store import ACCOUNT, SESSION, USER
from movie_platform.local_cloud.snowflake.statements.object_parameters import read_place
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import matches_like
from movie_platform.local_cloud.snowflake.text.session_parameters import (
    PARAMETERS,
    ParameterValue,
    parameter,
    shown,
)
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream

_ADMINISTRATOR = "ACCOUNTADMIN"


def alter_session(session: Session, statement: Statement) -> result_set.Result:
    """ALTER SESSION SET name = value …, ALTER SESSION UNSET name, …."""
    stream = TokenStream(statement.sql)
    stream.expect("ALTER", "SESSION")
    changes = _changes(stream)
    if changes.get("AUTOCOMMIT", False) in (True, None) and "AUTOCOMMIT" in changes:
        session.commit()
    for name, value in changes.items():
        if value is None:
            session.parameters.pop(name, None)
        else:
            session.parameters[name] = value
    session.use_parameters()
    return result_set.done()


def alter_account(session: Session, statement: Statement) -> result_set.Result:
    """ALTER ACCOUNT SET name = value …, ALTER ACCOUNT UNSET name, ….

    Raises SnowflakeError 003001 for other roles than the account's administrator.
    """
    stream = TokenStream(statement.sql)
    stream.expect("ALTER", "ACCOUNT")
    changes = _changes(stream)
    if session.role != _ADMINISTRATOR:
        raise SnowflakeError(
            3001,
            "42501",
            f"SQL access control error:\nInsufficient privileges to operate on account '{session.account.name}'",
        )
    session.outside_transaction()
    _apply(changes, session.account.parameters.set_account)
    return result_set.done()


def set_for_user(session: Session, user: str, given: Mapping[str, object | None]) -> None:
    """Sets a user's parameters; None takes one away.

    Raises SnowflakeError 001008 for a value that a parameter does not take.
    """
    store = session.account.parameters
    changes = {name: None if value is None else parameter(name).value(value) for name, value in given.items()}
    _apply(changes, lambda name, value: store.set_user(user, name, value))


def _apply(
    changes: Mapping[str, ParameterValue | None], change: Callable[[str, ParameterValue | None], None]
) -> None:
    for name, value in changes.items():
        change(name, value)


def _changes(stream: TokenStream) -> dict[str, ParameterValue | None]:
    # What SET or UNSET says, to the end of the statement; None takes a value away.
    changes: dict[str, ParameterValue | None] = {}
    if stream.accept("UNSET"):
        while True:
            changes[parameter(stream.word()).name] = None
            if not stream.accept_symbol(","):
                break
    else:
        stream.expect("SET")
        while not stream.at_end:
            known = parameter(stream.word())
            stream.expect_symbol("=")
            changes[known.name] = known.value(stream.value())
            stream.accept_symbol(",")
        if not changes:
            raise stream.unexpected()
    stream.end()
    return changes


def show_parameters(session: Session, statement: Statement) -> result_set.Result:
    """SHOW PARAMETERS [LIKE …] [IN SESSION | ACCOUNT | USER [name] | object]: value, default, level that sets it."""
    stream = TokenStream(statement.sql)
    stream.expect("SHOW", "PARAMETERS")
    pattern = stream.string() if stream.accept("LIKE") else None
    level, user = SESSION, session.user
    of_object = read_place(session, stream)
    if of_object is not None:
        stream.end()
        return _parameters_result(
            row for row in of_object if pattern is None or matches_like(pattern, row[0])
        )
    if stream.accept("IN") or stream.accept("FOR"):
        if stream.accept(ACCOUNT):
            level = ACCOUNT
        elif stream.accept(USER):
            level = USER
            if not stream.at_end:
                user = stream.identifier()
                if user != session.user:
                    session.account.access.require(USER, user)
        else:
            stream.expect(SESSION)
    stream.end()
    store = session.account.parameters
    values = session.effective if level == SESSION else store.effective(user if level == USER else None, {})
    rows = [
        (name, shown(value), shown(known.default), level_of, known.description, known.type)
        for name, (value, level_of) in sorted(values.items())
        for known in (PARAMETERS[name],)
        if pattern is None or matches_like(pattern, name)
    ]
    return _parameters_result(rows)


def _parameters_result(rows: Iterable[tuple[str, ...]]) -> result_set.Result:
    names = ("key", "value", "default", "level", "description", "type")
    return result_set.rows_result([(name, "text") for name in names], list(rows))
