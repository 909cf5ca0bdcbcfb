-- What did the films of a year take (the last years with at least 100 films)?
SELECT
    CAST(year AS VARCHAR) AS year, films, box_office_films AS films_with_takings,
    ROUND(box_office_total / 1000000, 1) AS millions, ROUND(box_office_change / 1000000, 1) AS change_in_millions,
    top_title AS best_film
FROM MARTS.YEARLY_BOX_OFFICE
WHERE source = %(source)s AND year IS NOT NULL AND films >= 100
ORDER BY yearly_box_office.year DESC
LIMIT 5
