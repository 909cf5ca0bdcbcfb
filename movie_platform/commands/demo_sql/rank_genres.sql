-- Which genres do best (at least 200 films)?
SELECT
    genre, films, average_rating, ROUND(100 * acclaimed_share, 1) AS percent_acclaimed,
    box_office_films AS films_with_takings, ROUND(allocated_box_office / 1000000, 1) AS shared_takings_in_millions
FROM MARTS.GENRE_PERFORMANCE
WHERE source = %(source)s AND films >= 200
ORDER BY average_rating DESC, genre
LIMIT 5
