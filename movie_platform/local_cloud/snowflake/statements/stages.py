# ruff: noqa: S608 - identifiers in SQL text are constants or quoted by `names`; values are bound or quoted by `literal`
"""CREATE, ALTER, DROP and DESCRIBE of stages and file formats, and LIST.

External stages on `s3://` only. Sources: Snowflake documentation, "CREATE STAGE", "CREATE FILE FORMAT", "LIST".
"""

import json
from datetime import UTC, datetime
from email.utils import format_datetime

from movie_platform.local_cloud.snowflake.errors import (
    SnowflakeError,
    beyond_alter,
    does_not_exist,
    invalid_value,
    unsupported,
)
from movie_platform.local_cloud.snowflake.session import Session, Statement
from movie_platform.local_cloud.snowflake.state.engine import ACCOUNT_STATE
from movie_platform.local_cloud.snowflake.state.privileges import Securable
from movie_platform.local_cloud.snowflake.state.stage_lookup import (
    FORMAT_OPTIONS,
    check_format,
    check_pattern,
    files_at,
    find_format,
    find_location,
    parse_url,
    read_format_options,
    read_stage_reference,
    stage_format,
)
from movie_platform.local_cloud.snowflake.state.storage_access import LISTING
from movie_platform.local_cloud.snowflake.statements.authorizing import (
    require,
    require_ownership,
    require_to_create_in_schema,
)
from movie_platform.local_cloud.snowflake.statements.named_objects import (
    created,
    described_name,
    dropped,
    read_alter,
    read_create,
    read_drop,
)
from movie_platform.local_cloud.snowflake.text import result_set
from movie_platform.local_cloud.snowflake.text.names import shown
from movie_platform.local_cloud.snowflake.text.tokens import TokenStream, Value

_STAGE_PROPERTIES = frozenset({"URL", "STORAGE_INTEGRATION", "COMMENT"})
# Where a kind of object is kept; the first table has a row for each object.
_TABLES = {"STAGE": ("_fs_stages", "_fs_stage_options"), "FILE FORMAT": ("_fs_file_formats",)}


def create_stage(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR ALTER] STAGE with an s3:// URL."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "STAGE")
    name = session.resolve(stream.name())
    properties: dict[str, Value] = {}
    file_format: dict[str, Value] | None = None
    while not stream.at_end:
        if stream.accept("FILE_FORMAT"):
            stream.expect_symbol("=")
            file_format = read_format_options(stream)
        else:
            found = stream.properties(_STAGE_PROPERTIES, stop=frozenset({"FILE_FORMAT"}))
            if not found:
                raise stream.unexpected()
            properties |= found
    stream.end()
    if "URL" not in properties:
        raise unsupported("an internal stage (CREATE STAGE without URL)")
    url = str(properties["URL"])
    parse_url(url)
    engine = session.account.engine
    integration = properties.get("STORAGE_INTEGRATION")
    if integration is not None:
        _check_allowed(session, str(integration).upper(), url)
    if file_format is not None:
        find_format(engine, file_format, session.database, session.schema)
        file_format = _qualified(file_format, session)
    engine.require_schema(name.database, name.schema)
    require_to_create_in_schema(session, "STAGE", name)
    session.outside_transaction()
    key = [name.database, name.schema, name.name]
    known = engine.query(
        f"SELECT created_on, owner FROM {ACCOUNT_STATE}._fs_stages "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        key,
    )
    if known:
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
        require_ownership(session, "STAGE", name)
    alters = bool(known) and creation.alter
    created_on, owner = known[0] if alters else (datetime.now(UTC), session.role)
    with engine.transaction() as connection:
        connection.execute(
            f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_stages VALUES "
            "(?, ?, ?, ?, ?, 'N', 'N', ?, ?, NULL, 'EXTERNAL', 'AWS', NULL, ?, NULL, 'ROLE', 'N')",
            [
                created_on, name.name, name.database, name.schema, url, owner, str(properties.get("COMMENT", "")),
                None if integration is None else str(integration).upper(),
            ],
        )  # fmt: skip
        connection.execute(
            f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_stage_options VALUES (?, ?, ?, ?)",
            [*key, None if file_format is None else json.dumps(file_format)],
        )
    if alters:
        return result_set.done()
    session.account.access.created("STAGE", str(name), session.role)
    return created("STAGE AREA", shown(name.name))


def _qualified(options: dict[str, Value], session: Session) -> dict[str, Value]:
    if "FORMAT_NAME" not in options:
        return options
    return {"FORMAT_NAME": str(session.resolve(TokenStream(str(options["FORMAT_NAME"])).name()))}


def _check_allowed(session: Session, integration: str, url: str) -> None:
    properties = session.account.access.require("INTEGRATION", integration).properties
    require(session, Securable("INTEGRATION", integration), "USAGE")
    allowed = [str(item) for item in properties.get("STORAGE_ALLOWED_LOCATIONS", ())]
    blocked = [str(item) for item in properties.get("STORAGE_BLOCKED_LOCATIONS", ())]
    covered = any(item == "*" or url.startswith(item) for item in allowed)
    if not covered or any(url.startswith(item) for item in blocked):
        raise SnowflakeError(
            3167,
            "42601",
            f"Location '{url}' is not allowed by integration {integration}. "
            "Please use DESC INTEGRATION to check out allowed and blocked locations.",
        )


def drop_stage_or_format(session: Session, statement: Statement) -> result_set.Result:
    """DROP STAGE and DROP FILE FORMAT."""
    stream = TokenStream(statement.sql)
    drop = read_drop(stream, "STAGE", "FILE FORMAT")
    name = session.resolve(stream.name())
    stream.end()
    session.outside_transaction()
    tables = _TABLES[drop.kind]
    key = [name.database, name.schema, name.name]
    where = "database_name = ? AND schema_name = ? AND name = ?"
    engine = session.account.engine
    if not engine.query(f"SELECT 1 FROM {ACCOUNT_STATE}.{tables[0]} WHERE {where}", key):
        return drop.drop_missing(str(name), shown(name.name))
    require_ownership(session, drop.kind, name)
    for table in tables:
        engine.write(f"DELETE FROM {ACCOUNT_STATE}.{table} WHERE {where}", key)
    session.account.access.dropped(drop.kind, str(name))
    return dropped(shown(name.name))


def create_file_format(session: Session, statement: Statement) -> result_set.Result:
    """CREATE [OR ALTER] FILE FORMAT; its TYPE cannot be altered."""
    stream = TokenStream(statement.sql)
    creation = read_create(stream, "FILE FORMAT")
    name = session.resolve(stream.name())
    options = stream.properties(FORMAT_OPTIONS - {"FORMAT_NAME"})
    stream.end()
    file_format = check_format(options)
    engine = session.account.engine
    engine.require_schema(name.database, name.schema)
    require_to_create_in_schema(session, "FILE FORMAT", name)
    session.outside_transaction()
    key = [name.database, name.schema, name.name]
    known = engine.query(
        f"SELECT created_on, type FROM {ACCOUNT_STATE}._fs_file_formats "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        key,
    )
    if known:
        answer = creation.of_existing(name.name)
        if answer is not None:
            return answer
        require_ownership(session, "FILE FORMAT", name)
    alters = bool(known) and creation.alter
    if alters and known[0][1] != file_format.type:
        raise beyond_alter(
            f"CREATE OR ALTER FILE FORMAT with another TYPE ({known[0][1]} to {file_format.type})"
        )
    engine.write(
        f"INSERT OR REPLACE INTO {ACCOUNT_STATE}._fs_file_formats VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            known[0][0] if alters else datetime.now(UTC), name.name, name.database, name.schema, file_format.type,
            json.dumps({"TYPE": file_format.type, **file_format.options}), str(options.get("COMMENT", "")),
        ],
    )  # fmt: skip
    if alters:
        return result_set.done()
    session.account.access.created("FILE FORMAT", str(name), session.role)
    return created(creation.kind, shown(name.name))


def alter_stage(session: Session, statement: Statement) -> result_set.Result:
    """ALTER STAGE … SET URL / STORAGE_INTEGRATION / COMMENT."""
    stream = TokenStream(statement.sql)
    alter = read_alter(stream, "STAGE")
    name = session.resolve(stream.name())
    if not stream.accept("SET"):
        raise unsupported(statement.sql[:200])
    properties = stream.properties(_STAGE_PROPERTIES)
    stream.end()
    engine = session.account.engine
    key = [name.database, name.schema, name.name]
    where = "database_name = ? AND schema_name = ? AND name = ?"
    rows = engine.query(f"SELECT url, storage_integration FROM {ACCOUNT_STATE}._fs_stages WHERE {where}", key)
    if not rows:
        return alter.alter_missing(str(name))
    require_ownership(session, "STAGE", name)
    url = str(properties.get("URL", rows[0][0]))
    integration = properties.get("STORAGE_INTEGRATION", rows[0][1])
    parse_url(url)
    if integration is not None:
        _check_allowed(session, str(integration).upper(), url)
    session.outside_transaction()
    engine.write(
        f"UPDATE {ACCOUNT_STATE}._fs_stages SET url = ?, storage_integration = ?, comment = coalesce(?, comment) "
        f"WHERE {where}",
        [
            url,
            integration if integration is None else str(integration).upper(),
            properties.get("COMMENT"),
            *key,
        ],
    )
    return result_set.done()


def describe_stage(session: Session, statement: Statement) -> result_set.Result:
    """DESCRIBE STAGE: the properties that are set."""
    name = described_name(session, statement.sql, "STAGE")
    rows = session.account.engine.query(
        f"SELECT url, storage_integration FROM {ACCOUNT_STATE}._fs_stages "
        "WHERE database_name = ? AND schema_name = ? AND name = ?",
        [name.database, name.schema, name.name],
    )
    if not rows:
        raise does_not_exist("Stage", str(name))
    require(session, Securable.in_schema("STAGE", name), "USAGE")
    described = [("STAGE_LOCATION", "URL", "String", json.dumps([rows[0][0]]), "")]
    if rows[0][1]:
        described.append(("STAGE_INTEGRATION", "STORAGE_INTEGRATION", "String", rows[0][1], ""))
    for option, value in (stage_format(session.account.engine, name) or {}).items():
        described.append(("STAGE_FILE_FORMAT", option, "String", str(value), ""))
    names = ("parent_property", "property", "property_type", "property_value", "property_default")
    return result_set.rows_result([(name, "text") for name in names], described, result_set.DESCRIBE)


def list_files(session: Session, statement: Statement) -> result_set.Result:
    """LIST @stage[/path] [PATTERN = '…']."""
    stream = TokenStream(statement.sql)
    if not stream.accept("LIST"):
        stream.expect("LS")
    name, path = read_stage_reference(stream)
    properties = stream.properties(frozenset({"PATTERN"}))
    stream.end()
    pattern = properties.get("PATTERN")
    if pattern is not None and not isinstance(pattern, str):
        raise invalid_value(str(pattern), "PATTERN")
    location = find_location(session.account.engine, session.resolve(name), path)
    require(session, Securable.in_schema("STAGE", location.stage), "USAGE")
    session.account.storage.require(location, LISTING)
    rows = [
        (file.url, file.size, file.etag, format_datetime(file.last_modified.astimezone(UTC), usegmt=True))
        for file in files_at(session.account.lake, location, check_pattern(pattern) if pattern else None)
    ]
    columns = [("name", "text"), ("size", "fixed"), ("md5", "text"), ("last_modified", "text")]
    return result_set.rows_result(columns, rows)
