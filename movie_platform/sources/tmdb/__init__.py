"""The Movie Database (TMDB), API version 3: a full load by discover, later what changed.

`source` puts the parts together: `listing` finds all films, `changes` those that were edited, `films` fetches one film
and makes a row of it.
"""
