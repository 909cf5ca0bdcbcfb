-- MARTS.RATING_CHARTS: how each provider rates the films.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.rating_charts (
    {{ titles MARTS.rating_charts }}
)
COMMENT = {{ comment MARTS.rating_charts }}
AS
WITH films_of_source AS (
    SELECT
        source,
        MAX(dt) AS dt,
        COUNT(*) AS films
    FROM {{ database }}.MARTS.current_movies
    GROUP BY source
),

rated AS (
    SELECT
        movie.source,
        provider.provider,
        provider.provider_name,
        provider.original_scale,
        rating.rating,
        rating.votes
    FROM {{ database }}.MARTS.current_movies AS movie
    INNER JOIN {{ database }}.CORE.fact_movie_rating AS rating
        ON movie.source = rating.source AND movie.movie_id = rating.movie_id AND movie.measured_on = rating.dt
    INNER JOIN {{ database }}.CORE.dim_rating_provider AS provider ON rating.provider_key = provider.provider_key
)

SELECT
    rated.source,
    rated.provider,
    rated.provider_name,
    rated.original_scale,
    MAX(films_of_source.dt) AS dt,
    COUNT(*) AS films,
    COUNT(rated.rating) AS rated_films,
    CAST(COUNT(rated.rating) / NULLIF(MAX(films_of_source.films), 0) AS NUMBER(7, 6)) AS rated_share,
    CAST(AVG(rated.rating) AS NUMBER(5, 2)) AS average_rating,
    CAST(
        SUM(rated.rating * rated.votes) / NULLIF(SUM(IFF(rated.rating IS NULL, NULL, rated.votes)), 0)
        AS NUMBER(5, 2)
    ) AS vote_weighted_rating,
    PERCENTILE_DISC(0.25) WITHIN GROUP (ORDER BY rated.rating) AS lower_quartile,
    PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY rated.rating) AS median_rating,
    PERCENTILE_DISC(0.75) WITHIN GROUP (ORDER BY rated.rating) AS upper_quartile,
    MIN(rated.rating) AS lowest_rating,
    MAX(rated.rating) AS highest_rating,
    CAST(STDDEV(rated.rating) AS NUMBER(5, 2)) AS rating_deviation,
    COUNT(rated.votes) AS voted_films,
    SUM(rated.votes) AS votes,
    COUNT_IF(rated.rating >= 80) AS acclaimed_films,
    COUNT_IF(rated.rating >= 60 AND rated.rating < 80) AS good_films,
    COUNT_IF(rated.rating >= 40 AND rated.rating < 60) AS mixed_films,
    COUNT_IF(rated.rating < 40) AS poor_films
FROM rated
INNER JOIN films_of_source ON rated.source = films_of_source.source
GROUP BY rated.source, rated.provider, rated.provider_name, rated.original_scale;
