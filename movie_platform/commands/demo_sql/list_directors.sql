-- Whose films are rated best (directors with at least five)?
SELECT
    rank, director, rated_films, average_rating, acclaimed_films,
    CAST(first_year AS VARCHAR) || '-' || CAST(last_year AS VARCHAR) AS years, best_title AS best_film
FROM MARTS.DIRECTOR_LEADERBOARD
WHERE source = %(source)s AND rank <= 5
ORDER BY rank
