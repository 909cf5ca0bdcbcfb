-- MARTS.RATING_CHARTS: how each provider rates the films.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.rating_charts (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    provider COMMENT 'Who rated: imdb, metacritic, rotten_tomatoes or critics.',
    provider_name COMMENT 'The provider''s name as people write it.',
    original_scale COMMENT 'The scale on which the provider itself rates.',
    dt COMMENT 'Latest day of the source that CORE shows: the state that the row is of.',
    films COMMENT 'Films that the provider rated or has votes for.',
    rated_films COMMENT 'Films with a rating of the provider.',
    rated_share COMMENT 'Share of these in all films of the source, 0 to 1.',
    average_rating COMMENT 'Mean rating, 0 to 100; each film counts once.',
    vote_weighted_rating COMMENT 'Mean rating, each film counted by its votes, of films with votes.',
    lower_quartile COMMENT 'Rating that a quarter of the films does not exceed.',
    median_rating COMMENT 'Rating that half of the films does not exceed.',
    upper_quartile COMMENT 'Rating that three quarters of the films do not exceed.',
    lowest_rating COMMENT 'Lowest rating.',
    highest_rating COMMENT 'Highest rating.',
    rating_deviation COMMENT 'Standard deviation of the ratings.',
    voted_films COMMENT 'Films with a number of votes.',
    votes COMMENT 'Votes or reviews of all films.',
    acclaimed_films COMMENT 'Films rated 80 and over.',
    good_films COMMENT 'Films rated from 60 to below 80.',
    mixed_films COMMENT 'Films rated from 40 to below 60.',
    poor_films COMMENT 'Films rated below 40.'
)
COMMENT = 'How each provider rates the films as they are now: average, spread and bands, for charts.'
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
