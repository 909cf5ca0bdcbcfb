"""Streams: what was added to a table since the stream was last consumed.

`statements` takes the SQL apart, `store` keeps the offsets beside the data, `reading` puts a stream's rows into
queries and moves offsets when a transaction commits.
"""
