-- Who directed most of the acclaimed films?
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
SELECT people.person AS director, COUNT(*) AS acclaimed_films
FROM RAW.MOVIE_PEOPLE AS people
JOIN RAW.MOVIES AS movies
    ON movies.movie_id = people.movie_id
    AND movies.batch_id = people.batch_id AND movies.transform_id = people.transform_id
JOIN day ON day.batch_id = people.batch_id AND day.transform_id = people.transform_id
WHERE people.role = 'director' AND movies.rating_band = 'acclaimed'
GROUP BY people.person
ORDER BY acclaimed_films DESC, director
LIMIT 5
