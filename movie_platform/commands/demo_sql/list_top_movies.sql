-- Which are the best films, by ratings weighted with their votes?
SELECT
    provider_name AS provider, rank, title, CAST(year AS VARCHAR) AS year, weighted_rating, rating, votes,
    prior_mean, minimum_votes
FROM MARTS.TOP_MOVIES
WHERE source = %(source)s AND rank <= 3
ORDER BY provider, rank
