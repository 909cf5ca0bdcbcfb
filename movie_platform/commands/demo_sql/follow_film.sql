-- What became of one film (the one with most versions, and of these with most changes)?
WITH film AS (
    SELECT source, movie_id
    FROM MARTS.MOVIE_HISTORY
    WHERE source = %(source)s
    GROUP BY source, movie_id
    ORDER BY MAX(versions) DESC, SUM(changed_attribute_count) DESC, movie_id
    LIMIT 1
)
SELECT history.movie_id, history.title, history.version, history.valid_from, history.valid_to, history.event, history.changes
FROM MARTS.MOVIE_HISTORY AS history
JOIN film ON film.source = history.source AND film.movie_id = history.movie_id
ORDER BY history.version
