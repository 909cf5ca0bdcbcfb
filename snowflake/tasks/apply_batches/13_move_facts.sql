-- Facts: those of the days themselves are written again, those of moved films on other days get their new version.
INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'fact_movie_snapshot' AS table_name, days.source, days.dt, 0 AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, COUNT(*) AS rows_deleted
FROM {{ database }}.CORE.fact_movie_snapshot AS facts
INNER JOIN {{ database }}.CORE.work_days AS days
    ON facts.source = days.source AND facts.dt = days.dt
GROUP BY days.source, days.dt
UNION ALL
SELECT
    'fact_movie_rating' AS table_name, days.source, days.dt, 0 AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, COUNT(*) AS rows_deleted
FROM {{ database }}.CORE.fact_movie_rating AS facts
INNER JOIN {{ database }}.CORE.work_days AS days
    ON facts.source = days.source AND facts.dt = days.dt
GROUP BY days.source, days.dt;

DELETE FROM {{ database }}.CORE.fact_movie_snapshot
USING {{ database }}.CORE.work_days AS days
WHERE fact_movie_snapshot.source = days.source AND fact_movie_snapshot.dt = days.dt;

DELETE FROM {{ database }}.CORE.fact_movie_rating
USING {{ database }}.CORE.work_days AS days
WHERE fact_movie_rating.source = days.source AND fact_movie_rating.dt = days.dt;

INSERT INTO {{ database }}.CORE.work_moved_facts (source, movie_id, dt, movie_key)
SELECT facts.source, facts.movie_id, facts.dt, versions.movie_key
FROM {{ database }}.CORE.fact_movie_snapshot AS facts
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON facts.source = moved.source AND facts.movie_id = moved.movie_id AND facts.dt > moved.first_dt
INNER JOIN {{ database }}.CORE.dim_movie AS versions
    ON
        facts.source = versions.source
        AND facts.movie_id = versions.movie_id
        AND facts.dt >= versions.valid_from
        AND facts.dt < versions.valid_to
WHERE facts.movie_key <> versions.movie_key;

UPDATE {{ database }}.CORE.fact_movie_snapshot
SET movie_key = moved.movie_key
FROM {{ database }}.CORE.work_moved_facts AS moved
WHERE
    fact_movie_snapshot.source = moved.source
    AND fact_movie_snapshot.movie_id = moved.movie_id
    AND fact_movie_snapshot.dt = moved.dt;

INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'fact_movie_snapshot' AS table_name, films.source, films.first_dt AS dt, 0 AS rows_inserted,
    COUNT(*) AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.work_moved_facts AS moved
INNER JOIN {{ database }}.CORE.work_films AS films
    ON moved.source = films.source AND moved.movie_id = films.movie_id
GROUP BY films.source, films.first_dt
UNION ALL
SELECT
    'fact_movie_rating' AS table_name, films.source, films.first_dt AS dt, 0 AS rows_inserted,
    COUNT(*) AS rows_updated, 0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.fact_movie_rating AS facts
INNER JOIN {{ database }}.CORE.work_moved_facts AS moved
    ON facts.source = moved.source AND facts.movie_id = moved.movie_id AND facts.dt = moved.dt
INNER JOIN {{ database }}.CORE.work_films AS films
    ON moved.source = films.source AND moved.movie_id = films.movie_id
GROUP BY films.source, films.first_dt;

UPDATE {{ database }}.CORE.fact_movie_rating
SET movie_key = moved.movie_key
FROM {{ database }}.CORE.work_moved_facts AS moved
WHERE
    fact_movie_rating.source = moved.source
    AND fact_movie_rating.movie_id = moved.movie_id
    AND fact_movie_rating.dt = moved.dt;
