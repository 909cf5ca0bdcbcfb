-- MARTS.TOP_MOVIES: films by weighted rating, a chart a provider.
-- The formula is the one that IMDb published with its Top 250: WR = v / (v + m) * R + m / (v + m) * C. Both of its
-- constants come from the data: C is the mean rating of the films with votes, m the third quartile of their votes.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.top_movies (
    source COMMENT 'Name of the source profile; with movie_id it identifies a film.',
    provider COMMENT 'Who rated: imdb, metacritic, rotten_tomatoes or critics.',
    provider_name COMMENT 'The provider''s name as people write it.',
    rank COMMENT 'Place in the chart of the source and provider, from 1; of equals the one with more votes.',
    movie_id COMMENT 'The film''s key in its source.',
    dt COMMENT 'Latest day of the source that CORE shows: the state that the row is of.',
    title COMMENT 'Title.',
    year COMMENT 'Year of release, or the first of a range.',
    genres COMMENT 'Genres in the source''s order, joined by ''|''.',
    directors COMMENT 'Directors in the source''s order, joined by ''|''.',
    weighted_rating COMMENT 'WR: weighted rating, 0 to 100.',
    rating COMMENT 'R: rating from 0 to 100.',
    votes COMMENT 'v: number of votes or reviews behind it.',
    prior_mean COMMENT 'C: mean rating of the provider''s films with votes.',
    minimum_votes COMMENT 'm: third quartile of the votes of the provider''s films.',
    box_office COMMENT 'Box office takings in US dollars.'
)
COMMENT = 'Best films by weighted rating, a chart a provider. The weighted rating is the one that IMDb published for its Top 250, a Bayesian estimate: WR = v / (v + m) * R + m / (v + m) * C, with R the film''s rating and v its votes. C, the prior mean, is the mean rating of all films with votes of the source and provider; m is the third quartile of their votes. As on IMDb, m is also what it takes to be listed: films with fewer are not.'
AS
WITH rated AS (
    SELECT
        movie.source,
        movie.movie_id,
        movie.dt,
        movie.title,
        movie.year,
        movie.genres,
        movie.directors,
        movie.box_office,
        provider.provider,
        provider.provider_name,
        rating.rating,
        rating.votes
    FROM {{ database }}.MARTS.current_movies AS movie
    INNER JOIN {{ database }}.CORE.fact_movie_rating AS rating
        ON movie.source = rating.source AND movie.movie_id = rating.movie_id AND movie.measured_on = rating.dt
    INNER JOIN {{ database }}.CORE.dim_rating_provider AS provider ON rating.provider_key = provider.provider_key
    WHERE rating.rating IS NOT NULL AND rating.votes > 0
),

provider_prior AS (
    SELECT
        source,
        provider,
        AVG(rating) AS mean_rating,
        PERCENTILE_DISC(0.75) WITHIN GROUP (ORDER BY votes) AS minimum_votes
    FROM rated
    GROUP BY source, provider
),

weighted AS (
    SELECT
        rated.*,
        provider_prior.mean_rating,
        provider_prior.minimum_votes,
        CAST(
            (rated.votes * rated.rating + provider_prior.minimum_votes * provider_prior.mean_rating)
            / (rated.votes + provider_prior.minimum_votes)
            AS NUMBER(5, 2)
        ) AS weighted_rating
    FROM rated
    INNER JOIN provider_prior ON rated.source = provider_prior.source AND rated.provider = provider_prior.provider
    WHERE rated.votes >= provider_prior.minimum_votes
)

SELECT
    source,
    provider,
    provider_name,
    ROW_NUMBER() OVER (
        PARTITION BY source, provider
        ORDER BY weighted_rating DESC, votes DESC, movie_id ASC
    ) AS rank,
    movie_id,
    dt,
    title,
    year,
    genres,
    directors,
    weighted_rating,
    rating,
    votes,
    CAST(mean_rating AS NUMBER(5, 2)) AS prior_mean,
    minimum_votes,
    box_office
FROM weighted;
