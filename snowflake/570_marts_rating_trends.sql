-- MARTS.RATING_TRENDS: how ratings move from day to day.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.rating_trends (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    provider COMMENT 'Who rated: imdb, metacritic, rotten_tomatoes or critics.',
    provider_name COMMENT 'The provider''s name as people write it.',
    dt COMMENT 'UTC date that the extract describes.',
    films COMMENT 'Films that the provider rated or had votes for on the day.',
    rated_films COMMENT 'Films with a rating.',
    average_rating COMMENT 'Mean rating of the day, 0 to 100.',
    votes COMMENT 'Votes or reviews of all films of the day.',
    first_rated_films COMMENT 'Films that the provider had on no day before.',
    compared_films COMMENT 'Films with a rating on the day and on their day before.',
    risen_films COMMENT 'Films whose rating rose.',
    fallen_films COMMENT 'Films whose rating fell.',
    average_change COMMENT 'Mean change of the compared films'' ratings, in points of 100.',
    greatest_rise COMMENT 'Greatest rise of a film''s rating, 0 where none rose.',
    greatest_fall COMMENT 'Greatest fall of a film''s rating, 0 or below.',
    votes_gained COMMENT 'Change of the votes of films that had votes on both days.'
)
COMMENT = 'How ratings move: a row a provider and day. A film is compared with the last day before on which the provider had it.'
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
