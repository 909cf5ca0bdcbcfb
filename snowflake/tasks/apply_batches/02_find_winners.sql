-- Which of the chosen days have another winner now. A version of a batch counts when every table of RAW has all rows and
-- files that it announces; a row is known by its file and its place there, however often and in how many pieces it was
-- loaded. The winner is the latest extract, and of it the newest transform.
INSERT INTO {{ database }}.CORE.work_days (
    source, dt, batch_id, transform_id, load_type, extracted_at, content_id, removes
)
WITH announced AS (
    SELECT batches.*
    FROM {{ database }}.RAW.batches
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON batches.source = chosen.source AND batches.dt = chosen.dt
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY batches.source, batches.dt, batches.batch_id, batches.transform_id
        ORDER BY batches.transformed_at DESC, batches.announcement DESC
    ) = 1
),

loaded_rows AS (
    SELECT DISTINCT
        'movies' AS table_name, loaded.source, loaded.dt, loaded.batch_id, loaded.transform_id, loaded.file_name,
        loaded.file_row
    FROM {{ database }}.RAW.movies AS loaded
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON loaded.source = chosen.source AND loaded.dt = chosen.dt
    UNION ALL
    SELECT DISTINCT
        'movie_ratings' AS table_name, loaded.source, loaded.dt, loaded.batch_id, loaded.transform_id, loaded.file_name,
        loaded.file_row
    FROM {{ database }}.RAW.movie_ratings AS loaded
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON loaded.source = chosen.source AND loaded.dt = chosen.dt
    UNION ALL
    SELECT DISTINCT
        'movie_genres' AS table_name, loaded.source, loaded.dt, loaded.batch_id, loaded.transform_id, loaded.file_name,
        loaded.file_row
    FROM {{ database }}.RAW.movie_genres AS loaded
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON loaded.source = chosen.source AND loaded.dt = chosen.dt
    UNION ALL
    SELECT DISTINCT
        'movie_people' AS table_name, loaded.source, loaded.dt, loaded.batch_id, loaded.transform_id, loaded.file_name,
        loaded.file_row
    FROM {{ database }}.RAW.movie_people AS loaded
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON loaded.source = chosen.source AND loaded.dt = chosen.dt
    UNION ALL
    SELECT DISTINCT
        'quarantined_rows' AS table_name, loaded.source, loaded.dt, loaded.batch_id, loaded.transform_id, loaded.file_name,
        loaded.file_row
    FROM {{ database }}.OPS.quarantined_rows AS loaded
    INNER JOIN {{ database }}.CORE.work_chosen AS chosen
        ON loaded.source = chosen.source AND loaded.dt = chosen.dt
),

loaded_files AS (
    SELECT table_name, source, dt, batch_id, transform_id, file_name, COUNT(*) AS rows_loaded
    FROM loaded_rows
    GROUP BY table_name, source, dt, batch_id, transform_id, file_name
),

arrived AS (
    SELECT
        files.source,
        files.dt,
        files.batch_id,
        files.transform_id,
        SUM(CASE WHEN files.table_name = 'movies' THEN files.rows_loaded ELSE 0 END) AS movies_rows,
        SUM(CASE WHEN files.table_name = 'movies' THEN 1 ELSE 0 END) AS movies_files,
        SUM(CASE WHEN files.table_name = 'movie_ratings' THEN files.rows_loaded ELSE 0 END) AS movie_ratings_rows,
        SUM(CASE WHEN files.table_name = 'movie_ratings' THEN 1 ELSE 0 END) AS movie_ratings_files,
        SUM(CASE WHEN files.table_name = 'movie_genres' THEN files.rows_loaded ELSE 0 END) AS movie_genres_rows,
        SUM(CASE WHEN files.table_name = 'movie_genres' THEN 1 ELSE 0 END) AS movie_genres_files,
        SUM(CASE WHEN files.table_name = 'movie_people' THEN files.rows_loaded ELSE 0 END) AS movie_people_rows,
        SUM(CASE WHEN files.table_name = 'movie_people' THEN 1 ELSE 0 END) AS movie_people_files,
        SUM(CASE WHEN files.table_name = 'quarantined_rows' THEN files.rows_loaded ELSE 0 END) AS quarantined_rows_rows,
        SUM(CASE WHEN files.table_name = 'quarantined_rows' THEN 1 ELSE 0 END) AS quarantined_rows_files
    FROM loaded_files AS files
    GROUP BY files.source, files.dt, files.batch_id, files.transform_id
),

winners AS (
    SELECT announced.*
    FROM announced
    LEFT JOIN arrived
        ON
            announced.source = arrived.source
            AND announced.dt = arrived.dt
            AND announced.batch_id = arrived.batch_id
            AND announced.transform_id = arrived.transform_id
    WHERE
        announced.movies_rows = COALESCE(arrived.movies_rows, 0)
        AND announced.movies_files = COALESCE(arrived.movies_files, 0)
        AND announced.movie_ratings_rows = COALESCE(arrived.movie_ratings_rows, 0)
        AND announced.movie_ratings_files = COALESCE(arrived.movie_ratings_files, 0)
        AND announced.movie_genres_rows = COALESCE(arrived.movie_genres_rows, 0)
        AND announced.movie_genres_files = COALESCE(arrived.movie_genres_files, 0)
        AND announced.movie_people_rows = COALESCE(arrived.movie_people_rows, 0)
        AND announced.movie_people_files = COALESCE(arrived.movie_people_files, 0)
        AND announced.quarantined_rows_rows = COALESCE(arrived.quarantined_rows_rows, 0)
        AND announced.quarantined_rows_files = COALESCE(arrived.quarantined_rows_files, 0)
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY announced.source, announced.dt
        ORDER BY
            announced.extracted_at DESC,
            announced.batch_id DESC,
            announced.transformed_at DESC,
            announced.announcement DESC,
            announced.transform_id DESC
    ) = 1
)

SELECT
    winners.source,
    winners.dt,
    winners.batch_id,
    winners.transform_id,
    winners.load_type,
    winners.extracted_at,
    winners.content_id,
    winners.load_type = 'full' AND winners.keyless_quarantined_rows = 0 AS removes
FROM winners
LEFT JOIN {{ database }}.CORE.applied_days AS applied
    ON winners.source = applied.source AND winners.dt = applied.dt
WHERE
    applied.source IS NULL
    OR applied.batch_id <> winners.batch_id
    OR applied.transform_id <> winners.transform_id;
