-- The difference to DIM_MOVIE, and its application.
INSERT INTO {{ database }}.CORE.work_gone (movie_key, source, movie_id)
SELECT versions.movie_key, versions.source, versions.movie_id
FROM {{ database }}.CORE.work_films AS moved
INNER JOIN {{ database }}.CORE.dim_movie AS versions
    ON
        moved.source = versions.source
        AND moved.movie_id = versions.movie_id
        AND moved.first_dt <= versions.valid_from
LEFT JOIN {{ database }}.CORE.work_versions AS wanted
    ON
        versions.movie_key = wanted.movie_key
        AND versions.row_hash = wanted.row_hash
        AND versions.is_deleted = wanted.is_deleted
WHERE wanted.movie_key IS NULL;

INSERT INTO {{ database }}.CORE.work_new (
    movie_key, source, movie_id, valid_from, valid_to, is_deleted, row_hash, described_by, batch_id, transform_id
)
SELECT
    wanted.movie_key,
    wanted.source,
    wanted.movie_id,
    wanted.valid_from,
    wanted.valid_to,
    wanted.is_deleted,
    wanted.row_hash,
    wanted.described_by,
    days.batch_id,
    days.transform_id
FROM {{ database }}.CORE.work_versions AS wanted
INNER JOIN {{ database }}.CORE.applied_days AS days
    ON wanted.source = days.source AND wanted.valid_from = days.dt
LEFT JOIN {{ database }}.CORE.dim_movie AS versions
    ON wanted.movie_key = versions.movie_key
LEFT JOIN {{ database }}.CORE.work_gone AS gone
    ON wanted.movie_key = gone.movie_key
WHERE versions.movie_key IS NULL OR gone.movie_key IS NOT NULL;

INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'dim_movie' AS table_name,
    moved.source,
    moved.first_dt AS dt,
    SUM(changed.is_inserted) AS rows_inserted,
    SUM(changed.is_updated) AS rows_updated,
    SUM(changed.is_closed) AS rows_closed,
    SUM(changed.is_deleted) AS rows_deleted
FROM (
    SELECT
        wanted.source,
        wanted.movie_id,
        CASE WHEN versions.movie_key IS NULL THEN 1 ELSE 0 END AS is_inserted,
        CASE
            WHEN
                versions.valid_to <> wanted.valid_to
                OR versions.row_hash <> wanted.row_hash
                OR versions.is_deleted <> wanted.is_deleted
                THEN 1
            ELSE 0
        END AS is_updated,
        CASE WHEN versions.is_current AND wanted.valid_to < TO_DATE('9999-12-31', 'YYYY-MM-DD') THEN 1 ELSE 0 END AS is_closed,
        0 AS is_deleted
    FROM {{ database }}.CORE.work_versions AS wanted
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON wanted.movie_key = versions.movie_key
    UNION ALL
    SELECT gone.source, gone.movie_id, 0 AS is_inserted, 0 AS is_updated, 0 AS is_closed, 1 AS is_deleted
    FROM {{ database }}.CORE.work_gone AS gone
    LEFT JOIN {{ database }}.CORE.work_versions AS wanted
        ON gone.movie_key = wanted.movie_key
    WHERE wanted.movie_key IS NULL
) AS changed
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON changed.source = moved.source AND changed.movie_id = moved.movie_id
GROUP BY moved.source, moved.first_dt;
