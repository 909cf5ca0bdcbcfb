"""The OMDb API: one film a request, by IMDb id or by title, year and type, within a daily quota.

`wanted` says which films are to be asked for, `lookup` asks for one, `matching` says how sure a match is, `source` puts
them together.
"""
