-- MARTS.GENRE_PERFORMANCE: genres as they do now.
-- Weights share a film out among its genres; columns without them count it in full in each. They are widened, because
-- their product with money needs more than 18 digits.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.genre_performance (
    {{ titles MARTS.genre_performance }}
)
COMMENT = {{ comment MARTS.genre_performance }}
AS
WITH membership AS (
    SELECT
        movie.source,
        movie.dt,
        movie.average_rating,
        movie.budget,
        movie.box_office,
        movie.profit,
        COALESCE(genre.genre_name, '(no genre)') AS genre,
        CAST(COALESCE(bridge.weight, 1) AS NUMBER(20, 12)) AS weight
    FROM {{ database }}.MARTS.current_movies AS movie
    LEFT JOIN {{ database }}.CORE.bridge_movie_genre AS bridge ON movie.movie_key = bridge.movie_key
    LEFT JOIN {{ database }}.CORE.dim_genre AS genre ON bridge.genre_key = genre.genre_key
)

SELECT
    source,
    genre,
    MAX(dt) AS dt,
    COUNT(*) AS films,
    SUM(weight) AS allocated_films,
    COUNT(average_rating) AS rated_films,
    CAST(AVG(average_rating) AS NUMBER(5, 2)) AS average_rating,
    COUNT_IF(average_rating >= 80) AS acclaimed_films,
    CAST(COUNT_IF(average_rating >= 80) / NULLIF(COUNT(average_rating), 0) AS NUMBER(7, 6)) AS acclaimed_share,
    COUNT(box_office) AS box_office_films,
    SUM(box_office) AS box_office_total,
    CAST(AVG(box_office) AS NUMBER(18, 2)) AS box_office_average,
    CAST(MEDIAN(CAST(box_office AS FLOAT)) AS NUMBER(18, 2)) AS box_office_median,
    CAST(SUM(weight * box_office) AS NUMBER(38, 2)) AS allocated_box_office,
    COUNT(profit) AS profit_films,
    CAST(SUM(weight * profit) AS NUMBER(38, 2)) AS allocated_profit,
    CAST(
        SUM(profit) / NULLIF(SUM(IFF(profit IS NULL, NULL, budget)), 0) AS NUMBER(18, 4)
    ) AS return_on_investment
FROM membership
GROUP BY source, genre;
