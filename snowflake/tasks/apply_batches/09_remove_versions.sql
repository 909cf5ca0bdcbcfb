-- Versions that are no longer go, with their bridges; those that stay may end on another day now.
INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'bridge_movie_genre' AS table_name, moved.source, moved.first_dt AS dt, 0 AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, COUNT(*) AS rows_deleted
FROM {{ database }}.CORE.bridge_movie_genre AS bridge
INNER JOIN {{ database }}.CORE.work_gone AS gone
    ON bridge.movie_key = gone.movie_key
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON gone.source = moved.source AND gone.movie_id = moved.movie_id
GROUP BY moved.source, moved.first_dt
UNION ALL
SELECT
    'bridge_movie_person' AS table_name, moved.source, moved.first_dt AS dt, 0 AS rows_inserted, 0 AS rows_updated,
    0 AS rows_closed, COUNT(*) AS rows_deleted
FROM {{ database }}.CORE.bridge_movie_person AS bridge
INNER JOIN {{ database }}.CORE.work_gone AS gone
    ON bridge.movie_key = gone.movie_key
INNER JOIN {{ database }}.CORE.work_films AS moved
    ON gone.source = moved.source AND gone.movie_id = moved.movie_id
GROUP BY moved.source, moved.first_dt;

DELETE FROM {{ database }}.CORE.bridge_movie_genre
USING {{ database }}.CORE.work_gone AS gone
WHERE bridge_movie_genre.movie_key = gone.movie_key;

DELETE FROM {{ database }}.CORE.bridge_movie_person
USING {{ database }}.CORE.work_gone AS gone
WHERE bridge_movie_person.movie_key = gone.movie_key;

DELETE FROM {{ database }}.CORE.dim_movie
USING {{ database }}.CORE.work_gone AS gone
WHERE dim_movie.movie_key = gone.movie_key;

UPDATE {{ database }}.CORE.dim_movie
SET
    valid_to = wanted.valid_to,
    is_current = wanted.valid_to = TO_DATE('9999-12-31', 'YYYY-MM-DD')
FROM {{ database }}.CORE.work_versions AS wanted
WHERE dim_movie.movie_key = wanted.movie_key AND dim_movie.valid_to <> wanted.valid_to;
