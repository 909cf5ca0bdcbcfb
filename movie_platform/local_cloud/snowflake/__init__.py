"""The local Snowflake: a server that a stock Snowflake connector reaches on 127.0.0.1, stored on disk.

fakesnow (Snowflake's SQL on DuckDB) does queries, DML and table DDL; this package adds what it lacks and refuses what
neither has. It is laid out in rooms, whose imports point one way, down this list:

- `server`: the server for programs and test suites, in a process that ends with its context. `__main__`: the program.
- `protocol`: the connector's HTTP protocol, login, results in parts.
- `background`: what works without being asked: Snowpipe's workers, the scheduler of tasks, `services` that starts both.
- `statements`: a module for each group of statements; `router` says which statement goes where, `named_objects` has
  what CREATE, ALTER, DROP, DESCRIBE and SHOW have in common.
- `session`: one client's session and its transaction. Who opens it hands it the router.
- `state`: what the account keeps, in DuckDB's files and in memory, a store for each kind of object; requests from
  statements to the background; `translate`, the bridge to fakesnow; plans of COPY and look-ups of stages, which
  statements and background share.
- `text`: SQL and values as text and columns, without state: tokens, names, bind variables, results, task bodies.
- `errors`: failures in Snowflake's form.

A new statement is a handler in `statements` and a line in its router. The package imports nothing of the platform
around it. Run it with `python -m movie_platform.local_cloud.snowflake`; README.md shows how, and what it does not do is
listed in docs/local-snowflake.md.
"""
