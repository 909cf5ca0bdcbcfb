-- Who rates how?
SELECT
    provider_name AS provider, rated_films, average_rating, lower_quartile, median_rating, upper_quartile,
    acclaimed_films, poor_films
FROM MARTS.RATING_CHARTS
WHERE source = %(source)s
ORDER BY provider
