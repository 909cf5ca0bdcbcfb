"""Streams: what changed in a table since the stream was last consumed.

`statements` takes the SQL apart, `store` keeps the offsets beside the data, `numbering` gives rows numbers that last,
`changes` notes what DML changes and removes, `images` keeps what rows were, `reading` puts a stream's rows into
queries and notes what is consumed.
"""
