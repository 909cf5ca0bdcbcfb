-- How did ratings move over the days?
SELECT
    provider_name AS provider, dt, rated_films, average_rating, risen_films AS risen, fallen_films AS fallen,
    greatest_rise, greatest_fall, votes_gained
FROM MARTS.RATING_TRENDS
WHERE
    source = %(source)s
    AND dt BETWEEN TO_DATE(%(first)s, 'YYYY-MM-DD') AND TO_DATE(%(last)s, 'YYYY-MM-DD')
ORDER BY provider, dt
