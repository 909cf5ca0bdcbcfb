-- What the tasks and checks of an orchestrator stop on is counted here for people to read, day by day.
INSERT INTO {{ database }}.OPS.data_quality_results (
    rule, source, dt, checked_rows, offending_rows, measured_at
)
WITH unmeasured AS (
    SELECT applied.source, applied.dt, applied.batch_id, applied.transform_id
    FROM {{ database }}.CORE.applied_days AS applied
    INNER JOIN (
        SELECT changes.source, changes.dt, MAX(changes.applied_at) AS applied_at
        FROM {{ database }}.OPS.core_changes AS changes
        GROUP BY changes.source, changes.dt
    ) AS latest
        ON applied.source = latest.source AND applied.dt = latest.dt
    LEFT JOIN (
        SELECT results.source, results.dt, MAX(results.measured_at) AS measured_at
        FROM {{ database }}.OPS.data_quality_results AS results
        GROUP BY results.source, results.dt
    ) AS measured
        ON applied.source = measured.source AND applied.dt = measured.dt
    WHERE measured.measured_at IS NULL OR measured.measured_at < latest.applied_at
),

films AS (
    SELECT
        raw.source,
        raw.dt,
        raw.movie_id,
        raw.year,
        raw.release_date,
        raw.runtime_minutes,
        raw.primary_genre,
        raw.average_rating
    FROM {{ database }}.RAW.movies AS raw
    INNER JOIN unmeasured
        ON
            raw.source = unmeasured.source
            AND raw.dt = unmeasured.dt
            AND raw.batch_id = unmeasured.batch_id
            AND raw.transform_id = unmeasured.transform_id
),

facts AS (
    SELECT snapshot.source, snapshot.dt, snapshot.movie_id, versions.movie_key
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    INNER JOIN unmeasured
        ON snapshot.source = unmeasured.source AND snapshot.dt = unmeasured.dt
    LEFT JOIN {{ database }}.CORE.dim_movie AS versions
        ON
            snapshot.movie_key = versions.movie_key
            AND snapshot.dt >= versions.valid_from
            AND snapshot.dt < versions.valid_to
            AND NOT versions.is_deleted
),

measures AS (
    SELECT
        'films_have_a_year' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
        COUNT_IF(films.year IS NULL) AS offending_rows
    FROM films
    GROUP BY films.source, films.dt
    UNION ALL
    SELECT
        'films_have_a_release_date' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
        COUNT_IF(films.release_date IS NULL) AS offending_rows
    FROM films
    GROUP BY films.source, films.dt
    UNION ALL
    SELECT
        'films_have_a_runtime' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
        COUNT_IF(films.runtime_minutes IS NULL) AS offending_rows
    FROM films
    GROUP BY films.source, films.dt
    UNION ALL
    SELECT
        'films_have_a_genre' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
        COUNT_IF(films.primary_genre IS NULL) AS offending_rows
    FROM films
    GROUP BY films.source, films.dt
    UNION ALL
    SELECT
        'films_have_a_rating' AS rule, films.source, films.dt, COUNT(*) AS checked_rows,
        COUNT_IF(films.average_rating IS NULL) AS offending_rows
    FROM films
    GROUP BY films.source, films.dt
    UNION ALL
    SELECT
        'facts_have_their_version' AS rule, facts.source, facts.dt, COUNT(*) AS checked_rows,
        COUNT_IF(facts.movie_key IS NULL) AS offending_rows
    FROM facts
    GROUP BY facts.source, facts.dt
    UNION ALL
    SELECT
        'snapshot_holds_the_winning_films' AS rule,
        unmeasured.source,
        unmeasured.dt,
        COUNT(DISTINCT films.movie_id) AS checked_rows,
        ABS(COUNT(DISTINCT films.movie_id) - COUNT(DISTINCT facts.movie_id)) AS offending_rows
    FROM unmeasured
    LEFT JOIN films
        ON unmeasured.source = films.source AND unmeasured.dt = films.dt
    LEFT JOIN facts
        ON films.source = facts.source AND films.dt = facts.dt AND films.movie_id = facts.movie_id
    GROUP BY unmeasured.source, unmeasured.dt
)

SELECT
    measures.rule,
    measures.source,
    measures.dt,
    measures.checked_rows,
    measures.offending_rows,
    SYSDATE() AS measured_at
FROM measures;
