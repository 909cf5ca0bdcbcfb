-- MARTS.TOP_MOVIES: films by weighted rating, a chart a provider.
-- The formula is the one that IMDb published with its Top 250: WR = v / (v + m) * R + m / (v + m) * C. Both of its
-- constants come from the data: C is the mean rating of the films with votes, m the third quartile of their votes.
USE ROLE {{ database }}_TRANSFORMER;

CREATE OR REPLACE VIEW {{ database }}.MARTS.top_movies (
    {{ titles MARTS.top_movies }}
)
COMMENT = {{ comment MARTS.top_movies }}
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
