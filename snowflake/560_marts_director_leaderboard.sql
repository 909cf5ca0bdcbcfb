-- MARTS.DIRECTOR_LEADERBOARD: directors by the ratings of their films.
-- Weights are widened, because their product with money needs more than 18 digits.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.director_leaderboard (
    {{ titles MARTS.director_leaderboard }}
)
COMMENT = {{ comment MARTS.director_leaderboard }}
AS
WITH directed AS (
    SELECT
        movie.source,
        movie.movie_id,
        movie.dt,
        movie.title,
        movie.year,
        movie.average_rating,
        movie.box_office,
        CAST(bridge.weight AS NUMBER(20, 12)) AS weight,
        person.person_key,
        person.person_name
    FROM {{ database }}.MARTS.current_movies AS movie
    INNER JOIN {{ database }}.CORE.bridge_movie_person AS bridge
        ON movie.movie_key = bridge.movie_key AND bridge.role = 'director'
    INNER JOIN {{ database }}.CORE.dim_person AS person ON bridge.person_key = person.person_key
),

best AS (
    SELECT
        source,
        person_key,
        movie_id,
        title,
        average_rating
    FROM directed
    WHERE average_rating IS NOT NULL
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY source, person_key
        ORDER BY average_rating DESC, year ASC, movie_id ASC
    ) = 1
),

career AS (
    SELECT
        source,
        person_key,
        person_name,
        MAX(dt) AS dt,
        COUNT(*) AS films,
        COUNT(average_rating) AS rated_films,
        CAST(AVG(average_rating) AS NUMBER(5, 2)) AS average_rating,
        COUNT_IF(average_rating >= 80) AS acclaimed_films,
        MIN(year) AS first_year,
        MAX(year) AS last_year,
        COUNT(box_office) AS box_office_films,
        CAST(SUM(weight * box_office) AS NUMBER(38, 2)) AS allocated_box_office
    FROM directed
    GROUP BY source, person_key, person_name
    HAVING COUNT(average_rating) >= 5
)

SELECT
    career.source,
    ROW_NUMBER() OVER (
        PARTITION BY career.source
        ORDER BY career.average_rating DESC, career.rated_films DESC, career.person_key ASC
    ) AS rank,
    career.person_key,
    career.person_name AS director,
    career.dt,
    career.films,
    career.rated_films,
    career.average_rating,
    career.acclaimed_films,
    CAST(career.acclaimed_films / NULLIF(career.rated_films, 0) AS NUMBER(7, 6)) AS acclaimed_share,
    career.first_year,
    career.last_year,
    career.box_office_films,
    career.allocated_box_office,
    best.movie_id AS best_movie_id,
    best.title AS best_title,
    best.average_rating AS best_rating
FROM career
INNER JOIN best ON career.source = best.source AND career.person_key = best.person_key;
