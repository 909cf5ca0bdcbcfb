-- How did ratings move over the days?
SELECT
    provider_name AS provider, dt, rated_films, average_rating, risen_films AS risen, fallen_films AS fallen,
    greatest_rise, greatest_fall, votes_gained
FROM MARTS.RATING_TRENDS
WHERE source = %(source)s AND dt BETWEEN %(first)s AND %(last)s
ORDER BY provider, dt
