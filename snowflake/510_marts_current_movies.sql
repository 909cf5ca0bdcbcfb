-- MARTS.CURRENT_MOVIES: films as they are now, the ground of the other marts.
-- A full load has each film on its latest day. The days before are asked for the others alone, so that the cost
-- follows the films and not their history.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.current_movies (
    {{ titles MARTS.current_movies }}
)
COMMENT = {{ comment MARTS.current_movies }}
AS
WITH latest_day AS (
    SELECT
        source,
        MAX(dt) AS dt
    FROM {{ database }}.CORE.applied_days
    GROUP BY source
),

film AS (
    SELECT *
    FROM {{ database }}.CORE.dim_movie
    WHERE is_current AND NOT is_deleted
),

snapshot_of_the_day AS (
    SELECT
        snapshot.source,
        snapshot.movie_id,
        snapshot.dt,
        {{ each measures: snapshot.{} }}
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    INNER JOIN latest_day ON snapshot.source = latest_day.source AND snapshot.dt = latest_day.dt
),

not_in_it AS (
    SELECT
        source,
        movie_id
    FROM film
    EXCEPT
    SELECT
        source,
        movie_id
    FROM snapshot_of_the_day
),

snapshot_of_days_before AS (
    SELECT
        snapshot.source,
        snapshot.movie_id,
        snapshot.dt,
        {{ each measures: snapshot.{} }}
    FROM {{ database }}.CORE.fact_movie_snapshot AS snapshot
    INNER JOIN not_in_it ON snapshot.source = not_in_it.source AND snapshot.movie_id = not_in_it.movie_id
    QUALIFY ROW_NUMBER() OVER (PARTITION BY snapshot.source, snapshot.movie_id ORDER BY snapshot.dt DESC) = 1
),

latest_snapshot AS (
    SELECT * FROM snapshot_of_the_day
    UNION ALL
    SELECT * FROM snapshot_of_days_before
)

SELECT
    film.source,
    film.movie_id,
    film.movie_key,
    latest_day.dt,
    latest_snapshot.dt AS measured_on,
    film.valid_from AS current_since,
    {{ each current_attributes: film.{} }},
    {{ each measures: latest_snapshot.{} }}
FROM film
INNER JOIN latest_day ON film.source = latest_day.source
LEFT JOIN latest_snapshot
    ON film.source = latest_snapshot.source AND film.movie_id = latest_snapshot.movie_id;
