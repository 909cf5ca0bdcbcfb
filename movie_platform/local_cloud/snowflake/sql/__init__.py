"""Queries, DML, table DDL and session statements: what DuckDB executes after fakesnow's rewriting."""
