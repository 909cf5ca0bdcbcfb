"""Histories of films for tests of the warehouse: what a source said day by day, in RAW and in CORE.

`history` is the vocabulary, `reference` says what the tables of CORE have to hold, `raw` writes a history into RAW,
`core` reads CORE in the reference's terms.
"""
