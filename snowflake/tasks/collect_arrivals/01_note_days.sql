-- Days that something arrived for are looked at, whatever came before: a file may come in pieces, twice or late.
MERGE INTO {{ database }}.OPS.pending_days AS pending
USING (
    SELECT
        arrived.source,
        arrived.dt,
        SYSDATE() AS arrived_at
    FROM (
        SELECT source, dt
        FROM {{ database }}.RAW.movies_stream
        UNION ALL
        SELECT source, dt
        FROM {{ database }}.RAW.movie_ratings_stream
        UNION ALL
        SELECT source, dt
        FROM {{ database }}.RAW.movie_genres_stream
        UNION ALL
        SELECT source, dt
        FROM {{ database }}.RAW.movie_people_stream
        UNION ALL
        SELECT source, dt
        FROM {{ database }}.OPS.quarantined_rows_stream
        UNION ALL
        SELECT source, dt
        FROM {{ database }}.RAW.batches_stream
    ) AS arrived
    GROUP BY arrived.source, arrived.dt
) AS noted
    ON pending.source = noted.source AND pending.dt = noted.dt
WHEN MATCHED THEN UPDATE SET
    arrived_at = noted.arrived_at,
    attempts = 0,
    tried_at = NULL,
    error_code = NULL,
    error_message = NULL
WHEN NOT MATCHED THEN INSERT (source, dt, arrived_at, attempts)
    VALUES (noted.source, noted.dt, noted.arrived_at, 0);
