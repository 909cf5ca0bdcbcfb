-- How have running times changed?
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
SELECT CAST(movies.decade AS VARCHAR) AS decade, COUNT(*) AS films, ROUND(AVG(movies.runtime_minutes), 0) AS
minutes FROM RAW.MOVIES AS movies JOIN day ON day.batch_id = movies.batch_id AND day.transform_id =
movies.transform_id WHERE movies.runtime_minutes IS NOT NULL AND movies.decade IS NOT NULL GROUP BY
movies.decade HAVING COUNT(*) >= 50 ORDER BY decade DESC LIMIT 8
