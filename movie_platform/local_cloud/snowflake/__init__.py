"""The local Snowflake: a server that a stock Snowflake connector reaches on 127.0.0.1, stored on disk.

fakesnow (Snowflake's SQL on DuckDB) does queries, DML and table DDL; this package adds what it lacks and refuses what
neither has. How the parts fit:

- `app`, `wire`, `bindings`, `auth`: the HTTP protocol of the connector, results, bind variables, login.
- `engine`: the DuckDB instance, its files, state tables. `session`: one client's session and its transaction.
- `router`: which statement goes to which module; streams and tasks will be two more entries there.
- `sql`: queries, DML and table DDL, through `translate` (the bridge to fakesnow).
- `stages`, `copy_statement`, `loader`, `load_history`: stages, COPY INTO, load metadata.
- `pipes`: Snowpipe. `access`: roles, grants, users, warehouses, integrations, monitors.

Run it with `python -m movie_platform.local_cloud.snowflake`. What it does not do is listed in docs/local-snowflake.md.
"""
