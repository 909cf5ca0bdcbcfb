"""Histories of films for tests of the warehouse: what a source said day by day, in RAW and in CORE.

`history` is the vocabulary, `samples` makes plain ones, `drawn` has those that hypothesis draws, `reference` says what
the tables of CORE have to hold, `raw` writes a history into RAW, `graph` runs the tasks, `read_committed` runs them
statement by statement, `core` reads CORE in the reference's terms.
"""
