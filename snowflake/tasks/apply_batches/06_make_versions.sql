-- A version begins where what is said differs from what was said before. A film that was never there cannot be
-- removed.
INSERT INTO {{ database }}.CORE.work_versions (
    movie_key, source, movie_id, valid_from, valid_to, is_deleted, row_hash, described_by
)
WITH states AS (
    SELECT
        versions.source,
        versions.movie_id,
        versions.valid_from AS dt,
        versions.is_deleted,
        versions.row_hash,
        TRUE AS is_known
    FROM {{ database }}.CORE.work_films AS moved
    INNER JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            moved.source = versions.source
            AND moved.movie_id = versions.movie_id
            AND moved.first_dt > versions.valid_from
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY versions.source, versions.movie_id ORDER BY versions.valid_from DESC
    ) = 1
    UNION ALL
    SELECT seen.source, seen.movie_id, seen.dt, seen.is_deleted, seen.row_hash, FALSE AS is_known
    FROM {{ database }}.CORE.work_observations AS seen
),

followed AS (
    SELECT
        states.*,
        CASE WHEN states.is_deleted THEN '' ELSE states.row_hash END AS said,
        LAG(CASE WHEN states.is_deleted THEN '' ELSE states.row_hash END)
            OVER (PARTITION BY states.source, states.movie_id ORDER BY states.dt)
            AS said_before
    FROM states
),

starts AS (
    SELECT
        followed.source,
        followed.movie_id,
        followed.dt,
        followed.is_deleted,
        followed.row_hash,
        SHA2(
            CONCAT(
                followed.source,
                '|',
                YEAR(followed.dt) * 10000 + MONTH(followed.dt) * 100 + DAY(followed.dt),
                '|',
                followed.movie_id
            ),
            256
        ) AS movie_key
    FROM followed
    WHERE
        followed.said <> followed.said_before
        OR (followed.said_before IS NULL AND (followed.is_known OR NOT followed.is_deleted))
)

SELECT
    starts.movie_key,
    starts.source,
    starts.movie_id,
    starts.dt AS valid_from,
    COALESCE(
        LEAD(starts.dt) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt),
        TO_DATE('9999-12-31', 'YYYY-MM-DD')
    ) AS valid_to,
    starts.is_deleted,
    COALESCE(
        starts.row_hash,
        LAG(starts.row_hash) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt)
    ) AS row_hash,
    CASE
        WHEN starts.is_deleted
            THEN COALESCE(
                LAG(starts.movie_key) OVER (PARTITION BY starts.source, starts.movie_id ORDER BY starts.dt),
                starts.movie_key
            )
        ELSE starts.movie_key
    END AS described_by
FROM starts;
