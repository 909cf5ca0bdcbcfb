-- Which genres do critics like best (at least 200 films)?
WITH winners AS (
    -- Of all versions of all batches of a day, the one that counts: the latest extract, its newest transform.
    SELECT *
    FROM RAW.BATCHES
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY source, dt
        ORDER BY extracted_at DESC, batch_id DESC, transformed_at DESC, announcement DESC
    ) = 1
),
day AS (
    SELECT batch_id, transform_id FROM winners WHERE source = %(source)s AND dt = %(last)s
)
SELECT genres.genre AS genre, COUNT(*) AS films, ROUND(AVG(movies.average_rating), 1) AS rating
FROM RAW.MOVIE_GENRES AS genres
JOIN RAW.MOVIES AS movies
    ON movies.movie_id = genres.movie_id
    AND movies.batch_id = genres.batch_id AND movies.transform_id = genres.transform_id
JOIN day ON day.batch_id = genres.batch_id AND day.transform_id = genres.transform_id
WHERE movies.average_rating IS NOT NULL
GROUP BY genres.genre
HAVING COUNT(*) >= 200
ORDER BY rating DESC, genre
LIMIT 5
