"""IMDb's published data sets: four TSV files, joined by DuckDB within a limit of memory.

`parameters` is what a profile says, `source` keeps the protocol, `join` asks DuckDB, `credits` turns sorted credits
into lists of names.
"""
