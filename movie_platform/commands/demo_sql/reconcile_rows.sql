-- Every row is accounted for: rows in = films + quarantined + duplicates
WITH winners AS (
    -- Of all versions of all batches of a day, the one that counts: the latest extract, its newest transform.
    SELECT *
    FROM RAW.BATCHES
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY source, dt
        ORDER BY extracted_at DESC, batch_id DESC, transformed_at DESC, announcement DESC
    ) = 1
),
loaded AS (
    SELECT source, dt, batch_id, transform_id, COUNT(*) AS films
    FROM RAW.MOVIES
    GROUP BY source, dt, batch_id, transform_id
),
refused AS (
    SELECT source, dt, batch_id, transform_id, COUNT(*) AS rows_refused
    FROM OPS.QUARANTINED_ROWS
    GROUP BY source, dt, batch_id, transform_id
)
SELECT
    winners.dt AS dt,
    winners.rows_in AS rows_in,
    COALESCE(loaded.films, 0) AS films,
    COALESCE(refused.rows_refused, 0) AS quarantined,
    winners.exact_duplicates AS duplicates,
    winners.rows_in
        - COALESCE(loaded.films, 0) - COALESCE(refused.rows_refused, 0) - winners.exact_duplicates AS
        unaccounted
FROM winners
LEFT JOIN loaded
    ON loaded.source = winners.source AND loaded.dt = winners.dt
    AND loaded.batch_id = winners.batch_id AND loaded.transform_id = winners.transform_id
LEFT JOIN refused
    ON refused.source = winners.source AND refused.dt = winners.dt
    AND refused.batch_id = winners.batch_id AND refused.transform_id = winners.transform_id
WHERE winners.source = %(source)s AND winners.dt BETWEEN %(first)s AND %(last)s
ORDER BY winners.dt
