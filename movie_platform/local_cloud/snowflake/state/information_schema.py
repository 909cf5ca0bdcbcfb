# ruff: noqa: S608 - identifiers in SQL text are constants
"""The views behind INFORMATION_SCHEMA and some SHOW commands: DuckDB views on its own catalog and on what is recorded.

A view here covers all databases of the account; who asks for one database's adds where. Sources: Snowflake
documentation, "Snowflake Information Schema" (docs.snowflake.com/en/sql-reference/info-schema), a page for each view.
"""

from collections.abc import Iterable

from sqlglot import exp

from movie_platform.local_cloud.snowflake.state.engine import (
    ACCOUNT_CATALOG,
    ACCOUNT_STATE,
    STATE_SCHEMA,
    Engine,
)
from movie_platform.local_cloud.snowflake.state.retention import DEFAULTS
from movie_platform.local_cloud.snowflake.text.column_types import MAXIMUM_BINARY, MAXIMUM_TEXT

# INFORMATION_SCHEMA's view, and the column that says which database a row is of (None: of all databases).
_DATABASE_COLUMNS: dict[str, str | None] = {
    "TABLES": "TABLE_CATALOG",
    "COLUMNS": "TABLE_CATALOG",
    "VIEWS": "TABLE_CATALOG",
    "SCHEMATA": "CATALOG_NAME",
    "DATABASES": None,
    "TABLE_CONSTRAINTS": "CONSTRAINT_CATALOG",
    "REFERENTIAL_CONSTRAINTS": "CONSTRAINT_CATALOG",
}
_NEVER = "to_timestamp(0)::TIMESTAMPTZ"


# What a row of a view is about: a table or view by schema and name, or a schema. A role sees what it has a right on.
_ABOUT: dict[str, tuple[str, ...]] = {
    "TABLES": ("TABLE_SCHEMA", "TABLE_NAME"),
    "COLUMNS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "VIEWS": ("TABLE_SCHEMA", "TABLE_NAME"),
    "SCHEMATA": ("SCHEMA_NAME",),
    "TABLE_CONSTRAINTS": ("TABLE_SCHEMA", "TABLE_NAME"),
}


def hidden_from_nobody(name: str) -> bool:
    """Whether a view's rows are about nothing that a role might not see."""
    return name not in _ABOUT


def relations_of(engine: Engine, database: str) -> list[tuple[str, str, str]]:
    """Kind, schema and name of the tables and views of a database."""
    return engine.query(
        f"SELECT kind, schema_name, name FROM {ACCOUNT_STATE}._fs_relations WHERE database_name = ?",
        [database],
    )


def only(query: exp.Select, name: str, places: Iterable[tuple[str, ...]]) -> exp.Select:
    """A view's rows that are about these places alone: (schema, name), or for SCHEMATA (schema,)."""
    columns = _ABOUT[name]
    seen = {place[: len(columns)] for place in places}
    if not seen:
        return query.where(exp.false(), copy=False)
    about = exp.Tuple(expressions=[exp.column(column, quoted=True) for column in columns])
    listed = [exp.Tuple(expressions=[exp.Literal.string(part) for part in place]) for place in sorted(seen)]
    return query.where(exp.In(this=about, expressions=listed), copy=False)


def view_query(database: str, name: str) -> exp.Select | None:
    """The query for a view of a database's INFORMATION_SCHEMA; None for a view that is not here."""
    if name not in _DATABASE_COLUMNS:
        return None
    query = exp.select("*").from_(
        exp.table_(_view(name), db=STATE_SCHEMA, catalog=ACCOUNT_CATALOG, quoted=True)
    )
    column = _DATABASE_COLUMNS[name]
    if column is None:
        return query
    return query.where(exp.column(column, quoted=True).eq(exp.Literal.string(database)), copy=False)


def _view(name: str) -> str:
    return f"_fs_is_{name.lower()}"


def _texts(*columns: str) -> str:
    return ", ".join(f'NULL::VARCHAR AS "{column}"' for column in columns)


def _owner(kind: str, *parts: str) -> str:
    name = " || '.' || ".join(f"{ACCOUNT_STATE}._fs_shown({part})" for part in parts)
    return (
        f"(SELECT max(grantee_name) FROM {ACCOUNT_STATE}._fs_grants WHERE privilege = 'OWNERSHIP' "
        f"AND granted_on = {kind} AND future_of IS NULL AND name = {name})"
    )


def _retention(database: str, schema: str, table: str) -> str:
    # The table's own comes before its schema's, this before its database's.
    return (
        f"coalesce((SELECT max_by(days, length(schema_name) + length(table_name)) FROM {ACCOUNT_STATE}._fs_retention "
        f"WHERE parameter = 'DATA_RETENTION_TIME_IN_DAYS' AND database_name = {database} "
        f"AND schema_name IN ('', {schema}) AND table_name IN ('', {table})), "
        f"{DEFAULTS['DATA_RETENTION_TIME_IN_DAYS']})"
    )


_SHOWN = f"""
CREATE OR REPLACE MACRO {ACCOUNT_STATE}._fs_shown(name) AS
    CASE WHEN regexp_full_match(name, '[A-Z_][A-Z0-9_$]*') THEN name ELSE '"' || replace(name, '"', '""') || '"' END;
"""

_RELATIONS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_relations AS
SELECT found.*, record.created_on, record.altered_on, record.definition,
    coalesce(record.properties ->> 'TRANSIENT', 'false') = 'true' AS is_transient,
    coalesce(record.properties ->> 'SECURE', 'false') = 'true' AS is_secure,
    coalesce(record.properties ->> 'CHANGE_TRACKING', 'false') = 'true' AS change_tracking,
    record.properties ->> 'CLUSTER BY' AS clustering, described.comment,
    {_owner("found.kind", "found.database_name", "found.schema_name", "found.name")} AS owner,
    {_retention("found.database_name", "found.schema_name", "found.name")} AS retention
FROM (
    SELECT database_name, schema_name, table_name AS name, 'TABLE' AS kind, estimated_size AS row_count, sql
    FROM duckdb_tables()
    UNION ALL
    SELECT database_name, schema_name, view_name, 'VIEW', NULL, sql FROM duckdb_views() WHERE NOT internal
) AS found
LEFT JOIN (
    SELECT * REPLACE (properties::JSON AS properties) FROM {ACCOUNT_STATE}._fs_object_records
) AS record USING (database_name, schema_name, name)
LEFT JOIN {ACCOUNT_STATE}._fs_tables_ext AS described ON described.ext_table_catalog = database_name
    AND described.ext_table_schema = schema_name AND described.ext_table_name = name
WHERE schema_name <> '{STATE_SCHEMA}' AND database_name NOT IN ('{ACCOUNT_CATALOG}', 'memory', 'system', 'temp');
"""

_TABLES = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("TABLES")} AS
SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", name AS "TABLE_NAME", owner AS "TABLE_OWNER",
    CASE kind WHEN 'TABLE' THEN 'BASE TABLE' ELSE kind END AS "TABLE_TYPE",
    CASE WHEN is_transient THEN 'YES' ELSE 'NO' END AS "IS_TRANSIENT",
    'LINEAR(' || clustering || ')' AS "CLUSTERING_KEY", row_count AS "ROW_COUNT",
    CASE kind WHEN 'TABLE' THEN 0 END AS "BYTES", CASE kind WHEN 'TABLE' THEN retention END AS "RETENTION_TIME",
    {
    _texts(
        "SELF_REFERENCING_COLUMN_NAME",
        "REFERENCE_GENERATION",
        "USER_DEFINED_TYPE_CATALOG",
        "USER_DEFINED_TYPE_SCHEMA",
        "USER_DEFINED_TYPE_NAME",
    )
},
    CASE kind WHEN 'TABLE' THEN 'YES' ELSE 'NO' END AS "IS_INSERTABLE_INTO", 'YES' AS "IS_TYPED",
    NULL::VARCHAR AS "COMMIT_ACTION", coalesce(created_on, {_NEVER}) AS "CREATED",
    coalesce(altered_on, {_NEVER}) AS "LAST_ALTERED", coalesce(altered_on, {_NEVER}) AS "LAST_DDL",
    owner AS "LAST_DDL_BY", CASE WHEN clustering IS NULL THEN 'NO' ELSE 'YES' END AS "AUTO_CLUSTERING_ON",
    comment AS "COMMENT", 'NO' AS "IS_TEMPORARY", 'NO' AS "IS_ICEBERG", 'NO' AS "IS_DYNAMIC", 'NO' AS "IS_IMMUTABLE",
    'NO' AS "IS_HYBRID"
FROM {ACCOUNT_STATE}._fs_relations;
"""

_VIEWS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("VIEWS")} AS
SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", name AS "TABLE_NAME", owner AS "TABLE_OWNER",
    coalesce(definition, sql) AS "VIEW_DEFINITION", 'NONE' AS "CHECK_OPTION", 'NO' AS "IS_UPDATABLE",
    'NO' AS "INSERTABLE_INTO", CASE WHEN is_secure THEN 'YES' ELSE 'NO' END AS "IS_SECURE",
    coalesce(created_on, {_NEVER}) AS "CREATED", coalesce(altered_on, {_NEVER}) AS "LAST_ALTERED",
    coalesce(altered_on, {_NEVER}) AS "LAST_DDL", owner AS "LAST_DDL_BY", comment AS "COMMENT"
FROM {ACCOUNT_STATE}._fs_relations WHERE kind = 'VIEW';
"""

_COLUMNS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("COLUMNS")} AS
SELECT database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", table_name AS "TABLE_NAME",
    column_name AS "COLUMN_NAME", ordinal AS "ORDINAL_POSITION",
    CASE WHEN starts_with(default_text, 'AUTOINCREMENT') THEN NULL ELSE default_text END AS "COLUMN_DEFAULT",
    CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS "IS_NULLABLE",
    CASE kind WHEN 'VARCHAR' THEN 'TEXT' ELSE kind END AS "DATA_TYPE",
    CASE WHEN kind IN ('VARCHAR', 'BINARY') THEN first END AS "CHARACTER_MAXIMUM_LENGTH",
    CASE kind WHEN 'VARCHAR' THEN least(first * 4, {MAXIMUM_TEXT}) WHEN 'BINARY' THEN first END
        AS "CHARACTER_OCTET_LENGTH",
    CASE kind WHEN 'NUMBER' THEN first END AS "NUMERIC_PRECISION",
    CASE kind WHEN 'NUMBER' THEN 10 END AS "NUMERIC_PRECISION_RADIX",
    CASE kind WHEN 'NUMBER' THEN second END AS "NUMERIC_SCALE",
    CASE WHEN starts_with(kind, 'TIME') THEN first END AS "DATETIME_PRECISION",
    {
    _texts(
        "INTERVAL_TYPE",
        "INTERVAL_PRECISION",
        "CHARACTER_SET_CATALOG",
        "CHARACTER_SET_SCHEMA",
        "CHARACTER_SET_NAME",
        "COLLATION_CATALOG",
        "COLLATION_SCHEMA",
        "COLLATION_NAME",
        "DOMAIN_CATALOG",
        "DOMAIN_SCHEMA",
        "DOMAIN_NAME",
        "UDT_CATALOG",
        "UDT_SCHEMA",
        "UDT_NAME",
        "SCOPE_CATALOG",
        "SCOPE_SCHEMA",
        "SCOPE_NAME",
        "MAXIMUM_CARDINALITY",
        "DTD_IDENTIFIER",
    )
},
    'NO' AS "IS_SELF_REFERENCING",
    CASE WHEN starts_with(default_text, 'AUTOINCREMENT') THEN 'YES' ELSE 'NO' END AS "IS_IDENTITY",
    CASE WHEN starts_with(default_text, 'AUTOINCREMENT') THEN 'BY DEFAULT' END AS "IDENTITY_GENERATION",
    nullif(regexp_extract(default_text, '^AUTOINCREMENT START (\\d+)', 1), '') AS "IDENTITY_START",
    nullif(regexp_extract(default_text, '^AUTOINCREMENT .* INCREMENT (\\d+)', 1), '') AS "IDENTITY_INCREMENT",
    {
    _texts(
        "IDENTITY_MAXIMUM",
        "IDENTITY_MINIMUM",
        "IDENTITY_CYCLE",
        "IDENTITY_ORDERED",
        "SCHEMA_EVOLUTION_RECORD",
    )
},
    comment AS "COMMENT"
FROM (
    SELECT *, split_part(type, '(', 1) AS kind,
        try_cast(regexp_extract(type, '\\((\\d+)', 1) AS INTEGER) AS first,
        try_cast(regexp_extract(type, ',(\\d+)\\)', 1) AS INTEGER) AS second
    FROM {ACCOUNT_STATE}._fs_described_columns
);
"""

# A column's type as DESCRIBE TABLE writes it: as it was defined, or as DuckDB has it.
_DESCRIBED_COLUMNS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_described_columns AS
SELECT found.database_name, found.schema_name, found.table_name, found.column_name,
    row_number() OVER (PARTITION BY found.table_oid, found.database_name ORDER BY found.column_index)::INTEGER
        AS ordinal,
    found.is_nullable, found.comment, record.type IS NOT NULL AS recorded, coalesce(record.added, false) AS added,
    CASE WHEN record.type IS NOT NULL THEN record.default_text
        WHEN found.column_default IS DISTINCT FROM 'NULL' THEN found.column_default END AS default_text,
    coalesce(record.type, CASE
        WHEN found.data_type IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'UTINYINT', 'USMALLINT',
            'UINTEGER', 'UBIGINT', 'UHUGEINT') THEN 'NUMBER(38,0)'
        WHEN starts_with(found.data_type, 'DECIMAL') THEN 'NUMBER' || found.data_type[8:]
        WHEN found.data_type IN ('DOUBLE', 'FLOAT') THEN 'FLOAT'
        WHEN found.data_type = 'VARCHAR' THEN
            'VARCHAR(' || coalesce(length.ext_character_maximum_length, {MAXIMUM_TEXT}) || ')'
        WHEN found.data_type = 'BLOB' THEN 'BINARY({MAXIMUM_BINARY})'
        WHEN found.data_type = 'TIME' THEN 'TIME(9)'
        WHEN found.data_type IN ('TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS') THEN 'TIMESTAMP_NTZ(9)'
        WHEN found.data_type = 'TIMESTAMP WITH TIME ZONE' THEN 'TIMESTAMP_TZ(9)'
        WHEN found.data_type = 'JSON' THEN 'VARIANT'
        ELSE found.data_type END) AS type
FROM duckdb_columns() AS found
LEFT JOIN {ACCOUNT_STATE}._fs_column_definitions AS record USING (database_name, schema_name, table_name, column_name)
LEFT JOIN {ACCOUNT_STATE}._fs_columns_ext AS length ON length.ext_table_catalog = found.database_name
    AND length.ext_table_schema = found.schema_name AND length.ext_table_name = found.table_name
    AND length.ext_column_name = found.column_name
WHERE NOT found.internal AND found.schema_name <> '{STATE_SCHEMA}' AND found.database_name <> '{ACCOUNT_CATALOG}';
"""

_CONTAINERS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("SCHEMATA")} AS
SELECT found.database_name AS "CATALOG_NAME", found.name AS "SCHEMA_NAME",
    {_owner("'SCHEMA'", "found.database_name", "found.name")} AS "SCHEMA_OWNER",
    CASE record.properties ->> 'TRANSIENT' WHEN 'true' THEN 'YES' ELSE 'NO' END AS "IS_TRANSIENT",
    CASE record.properties ->> 'MANAGED ACCESS' WHEN 'true' THEN 'YES' ELSE 'NO' END AS "IS_MANAGED_ACCESS",
    {_retention("found.database_name", "found.name", "''")} AS "RETENTION_TIME",
    {_texts("DEFAULT_CHARACTER_SET_CATALOG", "DEFAULT_CHARACTER_SET_SCHEMA", "DEFAULT_CHARACTER_SET_NAME", "SQL_PATH")},
    coalesce(record.created_on, {_NEVER}) AS "CREATED", coalesce(record.altered_on, {_NEVER}) AS "LAST_ALTERED",
    record.properties ->> 'COMMENT' AS "COMMENT", 'UNSET' AS "REPLICABLE_WITH_FAILOVER_GROUPS",
    'ROLE' AS "OWNER_ROLE_TYPE"
FROM (
    SELECT database_name, CASE schema_name WHEN '{STATE_SCHEMA}' THEN 'INFORMATION_SCHEMA' ELSE schema_name END AS name
    FROM duckdb_schemas()
    WHERE database_name NOT IN ('{ACCOUNT_CATALOG}', 'memory', 'system', 'temp')
    AND schema_name NOT IN ('main', 'pg_catalog', 'information_schema')
) AS found
LEFT JOIN (
    SELECT * REPLACE (properties::JSON AS properties) FROM {ACCOUNT_STATE}._fs_object_records WHERE kind = 'SCHEMA'
) AS record ON record.database_name = found.database_name AND record.schema_name = found.name;
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("DATABASES")} AS
SELECT found.database_name AS "DATABASE_NAME", {_owner("'DATABASE'", "found.database_name")} AS "DATABASE_OWNER",
    CASE record.properties ->> 'TRANSIENT' WHEN 'true' THEN 'YES' ELSE 'NO' END AS "IS_TRANSIENT",
    record.properties ->> 'COMMENT' AS "COMMENT", coalesce(record.created_on, {_NEVER}) AS "CREATED",
    coalesce(record.altered_on, {_NEVER}) AS "LAST_ALTERED",
    {_retention("found.database_name", "''", "''")} AS "RETENTION_TIME", 'STANDARD' AS "TYPE"
FROM duckdb_databases() AS found
LEFT JOIN (
    SELECT * REPLACE (properties::JSON AS properties) FROM {ACCOUNT_STATE}._fs_object_records WHERE kind = 'DATABASE'
) AS record USING (database_name)
WHERE NOT found.internal AND found.database_name NOT IN ('{ACCOUNT_CATALOG}', 'memory');
"""

_CONSTRAINTS = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("TABLE_CONSTRAINTS")} AS
SELECT database_name AS "CONSTRAINT_CATALOG", schema_name AS "CONSTRAINT_SCHEMA", name AS "CONSTRAINT_NAME",
    database_name AS "TABLE_CATALOG", schema_name AS "TABLE_SCHEMA", table_name AS "TABLE_NAME",
    kind AS "CONSTRAINT_TYPE", 'NO' AS "IS_DEFERRABLE", 'YES' AS "INITIALLY_DEFERRED", 'NO' AS "ENFORCED",
    comment AS "COMMENT", created_on AS "CREATED", created_on AS "LAST_ALTERED",
    CASE WHEN rely THEN 'YES' ELSE 'NO' END AS "RELY"
FROM {ACCOUNT_STATE}._fs_constraints;
CREATE OR REPLACE VIEW {ACCOUNT_STATE}.{_view("REFERENTIAL_CONSTRAINTS")} AS
SELECT own.database_name AS "CONSTRAINT_CATALOG", own.schema_name AS "CONSTRAINT_SCHEMA", own.name AS "CONSTRAINT_NAME",
    own.pk_database AS "UNIQUE_CONSTRAINT_CATALOG", own.pk_schema AS "UNIQUE_CONSTRAINT_SCHEMA",
    (
        SELECT max(other.name) FROM {ACCOUNT_STATE}._fs_constraints AS other
        WHERE other.kind <> 'FOREIGN KEY' AND other.database_name = own.pk_database
        AND other.schema_name = own.pk_schema AND other.table_name = own.pk_table
        AND list_sort(from_json(other.columns, '["VARCHAR"]')) = list_sort(from_json(own.pk_columns, '["VARCHAR"]'))
    ) AS "UNIQUE_CONSTRAINT_NAME",
    'FULL' AS "MATCH_OPTION", own.update_rule AS "UPDATE_RULE", own.delete_rule AS "DELETE_RULE",
    own.comment AS "COMMENT", own.created_on AS "CREATED", own.created_on AS "LAST_ALTERED"
FROM {ACCOUNT_STATE}._fs_constraints AS own WHERE own.kind = 'FOREIGN KEY';
"""

# In the place of fakesnow's views of these names, which know neither comments nor owners nor times.
_SHOWING = f"""
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_show_tables AS
SELECT coalesce(created_on, {_NEVER}) AS created_on, name, CASE WHEN is_transient THEN 'TRANSIENT' ELSE 'TABLE' END
    AS kind, database_name, schema_name, coalesce(comment, '') AS comment,
    coalesce('LINEAR(' || clustering || ')', '') AS cluster_by, row_count AS rows, 0 AS bytes, owner,
    retention::VARCHAR AS retention_time, CASE WHEN clustering IS NULL THEN 'OFF' ELSE 'ON' END AS automatic_clustering,
    'OFF' AS change_tracking, 'OFF' AS search_optimization, NULL AS search_optimization_progress,
    NULL AS search_optimization_bytes, 'N' AS is_external, 'N' AS enable_schema_evolution, 'ROLE' AS owner_role_type,
    'N' AS is_event, NULL AS budget, 'N' AS is_hybrid, 'N' AS is_iceberg, 'N' AS is_dynamic, 'N' AS is_immutable
FROM {ACCOUNT_STATE}._fs_relations WHERE kind = 'TABLE';
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_show_objects AS
SELECT coalesce(created_on, {_NEVER}) AS created_on, name, database_name, schema_name,
    CASE WHEN is_transient THEN 'TRANSIENT' ELSE kind END AS kind, coalesce(comment, '') AS comment,
    coalesce('LINEAR(' || clustering || ')', '') AS cluster_by, row_count AS rows, 0 AS bytes, owner,
    retention::VARCHAR AS retention_time, 'ROLE' AS owner_role_type, 'N' AS is_hybrid, 'N' AS is_dynamic,
    'N' AS is_iceberg
FROM {ACCOUNT_STATE}._fs_relations;
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_show_views AS
SELECT coalesce(created_on, {_NEVER}) AS created_on, name, '' AS reserved, database_name, schema_name, owner,
    coalesce(comment, '') AS comment, coalesce(definition, sql) AS text, is_secure, false AS is_materialized,
    'ROLE' AS owner_role_type, CASE WHEN change_tracking THEN 'ON' ELSE 'OFF' END AS change_tracking
FROM {ACCOUNT_STATE}._fs_relations WHERE kind = 'VIEW';
CREATE OR REPLACE VIEW {ACCOUNT_STATE}._fs_show_databases AS
SELECT "CREATED" AS created_on, "DATABASE_NAME" AS name, 'N' AS is_default, 'N' AS is_current, '' AS origin,
    "DATABASE_OWNER" AS owner, coalesce("COMMENT", '') AS comment,
    CASE "IS_TRANSIENT" WHEN 'YES' THEN 'TRANSIENT' ELSE '' END AS options, "RETENTION_TIME"::VARCHAR AS retention_time,
    'STANDARD' AS kind, NULL AS budget, 'ROLE' AS owner_role_type, NULL AS object_visibility
FROM {ACCOUNT_STATE}.{_view("DATABASES")};
"""

VIEWS = "".join(
    (_SHOWN, _RELATIONS, _TABLES, _VIEWS, _DESCRIBED_COLUMNS, _COLUMNS, _CONTAINERS, _CONSTRAINTS, _SHOWING)
)
