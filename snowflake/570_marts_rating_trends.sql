-- MARTS.RATING_TRENDS: how ratings move from day to day.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.rating_trends (
    {{ titles MARTS.rating_trends }}
)
COMMENT = {{ comment MARTS.rating_trends }}
AS
WITH compared AS (
    SELECT
        source,
        provider_key,
        dt,
        rating,
        votes,
        LAG(rating) OVER (PARTITION BY source, movie_id, provider_key ORDER BY dt) AS rating_before,
        LAG(votes) OVER (PARTITION BY source, movie_id, provider_key ORDER BY dt) AS votes_before,
        LAG(dt) OVER (PARTITION BY source, movie_id, provider_key ORDER BY dt) AS dt_before
    FROM {{ database }}.CORE.fact_movie_rating
)

SELECT
    compared.source,
    provider.provider,
    provider.provider_name,
    compared.dt,
    COUNT(*) AS films,
    COUNT(compared.rating) AS rated_films,
    CAST(AVG(compared.rating) AS NUMBER(5, 2)) AS average_rating,
    SUM(compared.votes) AS votes,
    COUNT_IF(compared.dt_before IS NULL) AS first_rated_films,
    COUNT(compared.rating - compared.rating_before) AS compared_films,
    COUNT_IF(compared.rating > compared.rating_before) AS risen_films,
    COUNT_IF(compared.rating < compared.rating_before) AS fallen_films,
    CAST(AVG(compared.rating - compared.rating_before) AS NUMBER(7, 4)) AS average_change,
    GREATEST(MAX(compared.rating - compared.rating_before), 0) AS greatest_rise,
    LEAST(MIN(compared.rating - compared.rating_before), 0) AS greatest_fall,
    SUM(compared.votes - compared.votes_before) AS votes_gained
FROM compared
INNER JOIN {{ database }}.CORE.dim_rating_provider AS provider ON compared.provider_key = provider.provider_key
GROUP BY compared.source, provider.provider, provider.provider_name, compared.dt;
