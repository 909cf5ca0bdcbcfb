-- MARTS.DATA_QUALITY_DAILY: what became of the rows of each day.
-- Of a day it shows the version that CORE shows, whatever else was loaded.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.data_quality_daily (
    {{ titles MARTS.data_quality_daily }}
)
COMMENT = {{ comment MARTS.data_quality_daily }}
AS
WITH announced AS (
    SELECT
        source,
        dt,
        batch_id,
        transform_id,
        rows_in,
        exact_duplicates
    FROM {{ database }}.RAW.batches
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY source, dt, batch_id, transform_id
        ORDER BY transformed_at DESC, announcement DESC
    ) = 1
),

quarantined AS (
    SELECT
        source,
        dt,
        batch_id,
        transform_id,
        COUNT(*) AS row_total,
        COUNT_IF(origin = 'reader') AS by_reader,
        COUNT_IF(origin = 'transform' AND rule_code = 'missing_key') AS missing_key,
        COUNT_IF(origin = 'transform' AND rule_code = 'missing_title') AS missing_title,
        COUNT_IF(origin = 'transform' AND rule_code = 'impossible_year') AS impossible_year,
        COUNT_IF(origin = 'transform' AND rule_code = 'impossible_runtime') AS impossible_runtime,
        COUNT_IF(origin = 'transform' AND rule_code = 'duplicate_key') AS duplicate_key,
        COUNT_IF(origin <> 'reader' AND rule_code NOT IN ('missing_key', 'missing_title', 'impossible_year', 'impossible_runtime', 'duplicate_key')) AS other_rule
    FROM {{ database }}.OPS.quarantined_rows
    GROUP BY source, dt, batch_id, transform_id
),

film AS (
    SELECT
        snapshot.source,
        snapshot.dt,
        COUNT(*) AS films,
        COUNT_IF(movie.imdb_id IS NULL) AS imdb_id,
        COUNT_IF(movie.year IS NULL) AS year,
        COUNT_IF(movie.release_date IS NULL) AS release_date,
        COUNT_IF(movie.runtime_minutes IS NULL) AS runtime_minutes,
        COUNT_IF(movie.genres IS NULL) AS genres,
        COUNT_IF(movie.directors IS NULL) AS directors,
        COUNT_IF(movie.certification IS NULL) AS certification,
        COUNT_IF(snapshot.budget IS NULL) AS budget,
        COUNT_IF(snapshot.box_office IS NULL) AS box_office,
        COUNT_IF(snapshot.average_rating IS NULL) AS average_rating
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    LEFT JOIN {{ database }}.CORE.dim_movie AS movie ON snapshot.movie_key = movie.movie_key
    GROUP BY snapshot.source, snapshot.dt
),

measured AS (
    SELECT
        source,
        dt,
        rule,
        offending_rows,
        measured_at
    FROM {{ database }}.OPS.data_quality_results
    QUALIFY ROW_NUMBER() OVER (PARTITION BY source, dt, rule ORDER BY measured_at DESC) = 1
),

quality AS (
    SELECT
        source,
        dt,
        COUNT(*) AS rules_measured,
        COUNT_IF(offending_rows > 0) AS rules_failed,
        NULLIF(LISTAGG(IFF(offending_rows > 0, rule, NULL), ', ') WITHIN GROUP (ORDER BY rule), '') AS failed_rules,
        MAX(measured_at) AS measured_at
    FROM measured
    GROUP BY source, dt
)

SELECT
    applied.source,
    applied.dt,
    applied.batch_id,
    applied.transform_id,
    applied.load_type,
    applied.extracted_at,
    announced.rows_in,
    COALESCE(film.films, 0) AS films,
    COALESCE(quarantined.row_total, 0) AS quarantined_rows,
    announced.exact_duplicates,
    announced.rows_in
    - COALESCE(film.films, 0) - COALESCE(quarantined.row_total, 0) - announced.exact_duplicates AS unaccounted_rows,
    CAST(COALESCE(quarantined.row_total, 0) / NULLIF(announced.rows_in, 0) AS NUMBER(7, 6)) AS quarantined_share,
    COALESCE(quarantined.by_reader, 0) AS quarantined_by_reader,
    COALESCE(quarantined.missing_key, 0) AS quarantined_missing_key,
    COALESCE(quarantined.missing_title, 0) AS quarantined_missing_title,
    COALESCE(quarantined.impossible_year, 0) AS quarantined_impossible_year,
    COALESCE(quarantined.impossible_runtime, 0) AS quarantined_impossible_runtime,
    COALESCE(quarantined.duplicate_key, 0) AS quarantined_duplicate_key,
    COALESCE(quarantined.other_rule, 0) AS quarantined_by_other_rule,
    CAST(film.imdb_id / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS imdb_id_null_share,
    CAST(film.year / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS year_null_share,
    CAST(film.release_date / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS release_date_null_share,
    CAST(film.runtime_minutes / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS runtime_minutes_null_share,
    CAST(film.genres / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS genres_null_share,
    CAST(film.directors / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS directors_null_share,
    CAST(film.certification / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS certification_null_share,
    CAST(film.budget / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS budget_null_share,
    CAST(film.box_office / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS box_office_null_share,
    CAST(film.average_rating / NULLIF(film.films, 0) AS NUMBER(7, 6)) AS average_rating_null_share,
    COALESCE(quality.rules_measured, 0) AS rules_measured,
    COALESCE(quality.rules_failed, 0) AS rules_failed,
    quality.failed_rules,
    quality.measured_at
FROM {{ database }}.CORE.applied_days AS applied
LEFT JOIN announced
    ON
        applied.source = announced.source AND applied.dt = announced.dt
        AND applied.batch_id = announced.batch_id AND applied.transform_id = announced.transform_id
LEFT JOIN quarantined
    ON
        applied.source = quarantined.source AND applied.dt = quarantined.dt
        AND applied.batch_id = quarantined.batch_id AND applied.transform_id = quarantined.transform_id
LEFT JOIN film ON applied.source = film.source AND applied.dt = film.dt
LEFT JOIN quality ON applied.source = quality.source AND applied.dt = quality.dt;
