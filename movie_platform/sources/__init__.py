"""Where movie data comes from: one module a kind of source, each yielding Arrow record batches of raw strings.

Import what you need from the modules: `profiles` (describe and open a source), `protocol` (what every source does),
`errors` (what can go wrong). Nothing here imports Dagster, and nothing is imported before it is used.
"""
