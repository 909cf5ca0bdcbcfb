-- What the winners of the days say of each film, and of each of its ratings.
INSERT INTO {{ database }}.CORE.fact_movie_snapshot (
    movie_key, date_key, source, movie_id, dt,
    {{ each measures: {} }}
)
SELECT
    versions.movie_key,
    YEAR(films.dt) * 10000 + MONTH(films.dt) * 100 + DAY(films.dt) AS date_key,
    films.source,
    films.movie_id,
    films.dt,
    {{ each measures: films.{} }}
FROM {{ database }}.RAW.movies AS films
INNER JOIN {{ database }}.CORE.work_days AS days
    ON
        films.source = days.source
        AND films.dt = days.dt
        AND films.batch_id = days.batch_id
        AND films.transform_id = days.transform_id
LEFT JOIN {{ database }}.CORE.dim_movie AS versions
    ON
        films.source = versions.source
        AND films.movie_id = versions.movie_id
        AND films.dt >= versions.valid_from
        AND films.dt < versions.valid_to
QUALIFY ROW_NUMBER() OVER (PARTITION BY films.file_name, films.file_row ORDER BY films.loaded_at) = 1;

INSERT INTO {{ database }}.CORE.fact_movie_rating (
    movie_key, provider_key, date_key, source, movie_id, dt, rating, votes
)
SELECT
    versions.movie_key,
    SHA2(ratings.provider, 256) AS provider_key,
    YEAR(ratings.dt) * 10000 + MONTH(ratings.dt) * 100 + DAY(ratings.dt) AS date_key,
    ratings.source,
    ratings.movie_id,
    ratings.dt,
    ratings.rating,
    ratings.votes
FROM {{ database }}.RAW.movie_ratings AS ratings
INNER JOIN {{ database }}.CORE.work_days AS days
    ON
        ratings.source = days.source
        AND ratings.dt = days.dt
        AND ratings.batch_id = days.batch_id
        AND ratings.transform_id = days.transform_id
LEFT JOIN {{ database }}.CORE.dim_movie AS versions
    ON
        ratings.source = versions.source
        AND ratings.movie_id = versions.movie_id
        AND ratings.dt >= versions.valid_from
        AND ratings.dt < versions.valid_to
QUALIFY ROW_NUMBER() OVER (PARTITION BY ratings.file_name, ratings.file_row ORDER BY ratings.loaded_at) = 1;

INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'fact_movie_snapshot' AS table_name, days.source, days.dt, COUNT(*) AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.fact_movie_snapshot AS facts
INNER JOIN {{ database }}.CORE.work_days AS days
    ON facts.source = days.source AND facts.dt = days.dt
GROUP BY days.source, days.dt
UNION ALL
SELECT
    'fact_movie_rating' AS table_name, days.source, days.dt, COUNT(*) AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, 0 AS rows_deleted
FROM {{ database }}.CORE.fact_movie_rating AS facts
INNER JOIN {{ database }}.CORE.work_days AS days
    ON facts.source = days.source AND facts.dt = days.dt
GROUP BY days.source, days.dt
UNION ALL
SELECT
    'applied_days' AS table_name, days.source, days.dt, 1 AS rows_inserted, 0 AS rows_updated, 0 AS rows_closed,
    0 AS rows_deleted
FROM {{ database }}.CORE.work_days AS days;
