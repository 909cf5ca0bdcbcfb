"""Where movie data comes from: one folder a kind of source, each yielding Arrow record batches of raw strings.

Import what you need from the modules: `profiles` (describe and open a source), `protocol` (what every source does),
`source_errors` (what can go wrong). Nothing here imports Dagster, and a kind is imported when a source of it is opened.
"""
