"""Which statement goes where, by the words it begins with. What is not listed is refused at once.

A new kind of statement gets a line here and a module of its own.
"""

from collections.abc import Callable

from movie_platform.local_cloud.snowflake.errors import SnowflakeError, syntax_error, unsupported
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.statements import (
    account_objects,
    altering_tables,
    comments,
    containers,
    copy_into,
    describe,
    dml,
    grants,
    parameters,
    pipes,
    queries,
    relations,
    session_statements,
    showing_keys,
    stages,
    streams,
    tables,
    tasks,
    temporary,
    views,
)
from movie_platform.local_cloud.snowflake.statements import showing_account_objects as account_lists
from movie_platform.local_cloud.snowflake.statements import showing_tasks as task_lists
from movie_platform.local_cloud.snowflake.statements.account_kinds import KINDS
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.tokens import leading_words

Handler = Callable[[Session, Statement], result_set.Result]

_TABLE_WORDS = (
    "TABLE",
    "TRANSIENT TABLE",
    "TEMPORARY TABLE",
    "TEMP TABLE",
    "VOLATILE TABLE",
    *(f"{scope} {word} TABLE" for scope in ("LOCAL", "GLOBAL") for word in ("TEMPORARY", "TEMP")),
)
_VIEW_WORDS = ("VIEW", "SECURE VIEW", *(f"{words[: -len('TABLE')]}VIEW" for words in _TABLE_WORDS[2:]))
_SHOWN_BY_FAKESNOW = (
    "TABLES", "VIEWS", "OBJECTS", "COLUMNS", "SCHEMAS", "DATABASES", "SEQUENCES", "STAGES", "FILE FORMATS",
)  # fmt: skip

_OR_ALTER: dict[str, Handler] = {
    f"CREATE OR ALTER {words}": handler
    for handler, kinds in (
        (altering_tables.create_or_alter_table, _TABLE_WORDS),
        (views.create_or_alter_view, _VIEW_WORDS),
        (containers.create_schema, ("SCHEMA", "TRANSIENT SCHEMA")),
        (containers.create_database, ("DATABASE", "TRANSIENT DATABASE")),
        (account_objects.create, ("WAREHOUSE", "ROLE")),
        (stages.create_stage, ("STAGE",)),
        (stages.create_file_format, ("FILE FORMAT",)),
        (tasks.create_task, ("TASK",)),
    )
    for words in kinds
}

ROUTES: dict[str, Handler] = {
    "SELECT": queries.select,
    "WITH": queries.select,
    "VALUES": queries.select,
    "": queries.select,  # a statement that begins with a bracket
    "INSERT INTO": dml.change,
    "INSERT OVERWRITE INTO": dml.change,
    "UPDATE": dml.change,
    "DELETE FROM": dml.change,
    "MERGE INTO": dml.merge,
    "TRUNCATE": dml.truncate,
    "COPY INTO": copy_into.copy_into,
    "BEGIN": session_statements.begin,
    "START TRANSACTION": session_statements.begin,
    "COMMIT": session_statements.commit,
    "ROLLBACK": session_statements.rollback,
    "USE": session_statements.use,
    "SET": session_statements.set_variable,
    "UNSET": session_statements.unset_variable,
    "ALTER ACCOUNT": parameters.alter_account,
    "ALTER SESSION": parameters.alter_session,
    "SHOW PARAMETERS": parameters.show_parameters,
    **{f"CREATE {words}": tables.create_table for words in _TABLE_WORDS},
    **{f"CREATE {words}": views.create_view for words in _VIEW_WORDS},
    **_OR_ALTER,
    "CREATE SEQUENCE": relations.create_sequence,
    "CREATE SCHEMA": containers.create_schema,
    "CREATE TRANSIENT SCHEMA": containers.create_schema,
    "CREATE DATABASE": containers.create_database,
    "CREATE TRANSIENT DATABASE": containers.create_database,
    "DROP DATABASE": containers.drop_container,
    "DROP SCHEMA": containers.drop_container,
    "DROP TABLE": temporary.drop,
    "DROP VIEW": temporary.drop,
    "DROP SEQUENCE": relations.drop_relation,
    "ALTER TABLE": tables.alter_table,
    "ALTER VIEW": relations.alter_table_or_view,
    "COMMENT": comments.comment_on,
    "DESCRIBE TABLE": describe.describe_table,
    "DESCRIBE VIEW": describe.describe_table,
    **{f"SHOW {words}": showing_keys.show for words in showing_keys.LISTS},
    **{f"SHOW TERSE {words}": showing_keys.show for words in showing_keys.LISTS},
    **{f"SHOW {words}": queries.show for words in _SHOWN_BY_FAKESNOW},
    **{f"SHOW TERSE {words}": queries.show for words in _SHOWN_BY_FAKESNOW},
    "CREATE STAGE": stages.create_stage,
    "ALTER STAGE": stages.alter_stage,
    "DROP STAGE": stages.drop_stage_or_format,
    "DESCRIBE STAGE": stages.describe_stage,
    "LIST": stages.list_files,
    "LS": stages.list_files,
    "CREATE FILE FORMAT": stages.create_file_format,
    "DROP FILE FORMAT": stages.drop_stage_or_format,
    "CREATE PIPE": pipes.create_pipe,
    "ALTER PIPE": pipes.alter_pipe,
    "DROP PIPE": pipes.drop_pipe,
    "SHOW PIPES": pipes.show_pipes,
    "DESCRIBE PIPE": pipes.describe_pipe,
    "CREATE STREAM": streams.create_stream,
    "ALTER STREAM": streams.alter_stream,
    "DROP STREAM": streams.drop_stream,
    "SHOW STREAMS": streams.show_streams,
    "DESCRIBE STREAM": streams.describe_stream,
    "CREATE TASK": tasks.create_task,
    "ALTER TASK": tasks.alter_task,
    "DROP TASK": tasks.drop_task,
    "SHOW TASKS": task_lists.show_tasks,
    "DESCRIBE TASK": task_lists.describe_task,
    "EXECUTE TASK": tasks.execute_task,
    "GRANT": grants.grant,
    "REVOKE": grants.revoke,
    "SHOW GRANTS": grants.show_grants,
    "SHOW FUTURE GRANTS": grants.show_grants,
    "ALTER INTEGRATION": account_objects.alter,
    "DROP INTEGRATION": account_objects.drop,
    "DESCRIBE INTEGRATION": account_lists.describe,
    "SHOW STORAGE INTEGRATIONS": account_lists.show,
}
for _kind in KINDS:
    _words = " ".join(_kind.words)
    ROUTES |= {
        f"CREATE {_words}": account_objects.create,
        f"ALTER {_words}": account_objects.alter,
        f"DROP {_words}": account_objects.drop,
        f"DESCRIBE {_words}": account_lists.describe,
        f"SHOW {' '.join(_kind.plural)}": account_lists.show,
    }

_VERBS = frozenset(
    {
        "ALTER", "BEGIN", "CALL", "COMMENT", "COMMIT", "COPY", "CREATE", "DECLARE", "DELETE", "DESC", "DESCRIBE",
        "DROP",
        "EXECUTE", "EXPLAIN", "GET", "GRANT", "INSERT", "LIST", "LS", "MERGE", "PUT", "REMOVE", "REVOKE", "RM",
        "ROLLBACK", "SELECT", "SET", "SHOW", "START", "TRUNCATE", "UNDROP", "UNSET", "UPDATE", "USE", "VALUES", "WITH",
    }
)  # fmt: skip

_CHANGES_OBJECTS = frozenset({"ALTER", "CREATE", "DROP", "UNDROP"})


class Router:
    """Sends statements to their handlers."""

    def run(self, session: Session, statement: Statement) -> result_set.Result:
        """Runs one statement.

        Raises SnowflakeError for a statement that the local Snowflake does not have.
        """
        words = leading_words(statement.sql)
        handler = find_handler(words, statement.sql)
        if statement.bindings.is_array and handler is not dml.change:
            raise unsupported("array bindings outside INSERT, UPDATE and DELETE")
        try:
            return handler(session, statement)
        finally:
            if words and words[0] in _CHANGES_OBJECTS:
                session.account.plans.forget()

    def check(self, sql: str) -> None:
        """Raises SnowflakeError for a statement that the local Snowflake does not have; runs nothing."""
        find_handler(leading_words(sql), sql)


def find_handler(words: tuple[str, ...], sql: str) -> Handler:
    """The handler of a statement that begins with these words: that of the longest route that fits.

    Raises SnowflakeError where there is none.
    """
    if not words and not sql.strip().startswith("("):
        if not sql.strip(" \t\r\n;"):
            raise SnowflakeError(900, "42601", "SQL compilation error:\nEmpty SQL statement.")
        raise syntax_error(f"syntax error line 1 at position 0 unexpected '{sql.strip()[:20]}'.")
    if not words:
        return ROUTES[""]
    normal = list(words)
    if normal[0] == "DESC":
        normal[0] = "DESCRIBE"
    if normal[:3] == ["CREATE", "OR", "REPLACE"]:
        del normal[1:3]
    for length in range(len(normal), 0, -1):
        handler = ROUTES.get(" ".join(normal[:length]))
        if handler is not None:
            return handler
    if normal[0] not in _VERBS:
        raise syntax_error(f"syntax error line 1 at position 0 unexpected '{words[0]}'.")
    raise unsupported(" ".join(normal[: 4 if normal[:3] == ["CREATE", "OR", "ALTER"] else 3]))
