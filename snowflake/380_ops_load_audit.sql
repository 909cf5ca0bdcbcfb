-- OPS.LOAD_AUDIT: from a table's rows back to files, bundle and run.
CREATE OR REPLACE VIEW {{ database }}.OPS.load_audit (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    dt COMMENT 'UTC date that the extract describes.',
    batch_id COMMENT 'Batch: the bundle in landing has this name.',
    transform_id COMMENT 'Hash of the code and options that made the rows.',
    table_name COMMENT 'Table that the rows were loaded into.',
    file_name COMMENT 'File of the archive, within the stage; null where the batch has no rows for the table.',
    rows_loaded COMMENT 'Rows of the file.',
    rows_announced COMMENT 'Rows of the table that the batch announces, all files together.',
    loaded_at COMMENT 'When the load of the file began, UTC.',
    extracted_at COMMENT 'When the source was read, UTC.',
    load_type COMMENT 'full or delta.',
    content_id COMMENT 'SHA-256 of the batch''s rows as a multiset, columns, source and load type.',
    run_id COMMENT 'The orchestrator''s run that brought the batch last; null where Snowflake did it by itself.',
    is_applied COMMENT 'Whether CORE shows this version of the batch.'
)
COMMENT = 'A row a version of a batch, table and file that was loaded.'
AS
WITH announced AS (
    SELECT batches.*
    FROM {{ database }}.RAW.batches
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY batches.source, batches.dt, batches.batch_id, batches.transform_id
        ORDER BY batches.transformed_at DESC, batches.announcement DESC
    ) = 1
),

expected AS (
    SELECT announced.*, 'movies' AS table_name, announced.movies_rows AS rows_announced FROM announced
    UNION ALL
    SELECT announced.*, 'movie_ratings' AS table_name, announced.movie_ratings_rows AS rows_announced FROM announced
    UNION ALL
    SELECT announced.*, 'movie_genres' AS table_name, announced.movie_genres_rows AS rows_announced FROM announced
    UNION ALL
    SELECT announced.*, 'movie_people' AS table_name, announced.movie_people_rows AS rows_announced FROM announced
    UNION ALL
    SELECT announced.*, 'quarantined_rows' AS table_name, announced.quarantined_rows_rows AS rows_announced FROM announced
),

files AS (
    SELECT
        'movies' AS table_name, source, dt, batch_id, transform_id, file_name, MIN(loaded_at) AS loaded_at,
        COUNT(DISTINCT file_row) AS rows_loaded
    FROM {{ database }}.RAW.movies
    GROUP BY source, dt, batch_id, transform_id, file_name
    UNION ALL
    SELECT
        'movie_ratings' AS table_name, source, dt, batch_id, transform_id, file_name, MIN(loaded_at) AS loaded_at,
        COUNT(DISTINCT file_row) AS rows_loaded
    FROM {{ database }}.RAW.movie_ratings
    GROUP BY source, dt, batch_id, transform_id, file_name
    UNION ALL
    SELECT
        'movie_genres' AS table_name, source, dt, batch_id, transform_id, file_name, MIN(loaded_at) AS loaded_at,
        COUNT(DISTINCT file_row) AS rows_loaded
    FROM {{ database }}.RAW.movie_genres
    GROUP BY source, dt, batch_id, transform_id, file_name
    UNION ALL
    SELECT
        'movie_people' AS table_name, source, dt, batch_id, transform_id, file_name, MIN(loaded_at) AS loaded_at,
        COUNT(DISTINCT file_row) AS rows_loaded
    FROM {{ database }}.RAW.movie_people
    GROUP BY source, dt, batch_id, transform_id, file_name
    UNION ALL
    SELECT
        'quarantined_rows' AS table_name, source, dt, batch_id, transform_id, file_name, MIN(loaded_at) AS loaded_at,
        COUNT(DISTINCT file_row) AS rows_loaded
    FROM {{ database }}.OPS.quarantined_rows
    GROUP BY source, dt, batch_id, transform_id, file_name
),

runs AS (
    SELECT load_runs.*
    FROM {{ database }}.OPS.load_runs
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY load_runs.source, load_runs.dt, load_runs.batch_id, load_runs.transform_id
        ORDER BY load_runs.recorded_at DESC, load_runs.run_id DESC
    ) = 1
)

SELECT
    expected.source,
    expected.dt,
    expected.batch_id,
    expected.transform_id,
    expected.table_name,
    files.file_name,
    COALESCE(files.rows_loaded, 0) AS rows_loaded,
    expected.rows_announced,
    files.loaded_at,
    expected.extracted_at,
    expected.load_type,
    expected.content_id,
    runs.run_id,
    applied.batch_id IS NOT NULL AS is_applied
FROM expected
LEFT JOIN files
    ON
        expected.table_name = files.table_name
        AND expected.source = files.source
        AND expected.dt = files.dt
        AND expected.batch_id = files.batch_id
        AND expected.transform_id = files.transform_id
LEFT JOIN runs
    ON
        expected.source = runs.source
        AND expected.dt = runs.dt
        AND expected.batch_id = runs.batch_id
        AND expected.transform_id = runs.transform_id
LEFT JOIN {{ database }}.CORE.applied_days AS applied
    ON
        expected.source = applied.source
        AND expected.dt = applied.dt
        AND expected.batch_id = applied.batch_id
        AND expected.transform_id = applied.transform_id;
