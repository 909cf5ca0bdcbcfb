-- Genres and people: the ones that are new or spelled otherwise now, and those noted above, get the name that the
-- version with the latest valid_from has for them, or go where no version has them any more.
INSERT INTO {{ database }}.CORE.work_genres (genre_key)
SELECT DISTINCT bridge.genre_key
FROM {{ database }}.CORE.bridge_movie_genre AS bridge
INNER JOIN {{ database }}.CORE.work_new AS added
    ON bridge.movie_key = added.movie_key
LEFT JOIN {{ database }}.CORE.dim_genre AS known
    ON bridge.genre_key = known.genre_key AND bridge.named_as = known.genre_name
WHERE
    known.genre_key IS NULL
    AND bridge.genre_key NOT IN (SELECT noted.genre_key FROM {{ database }}.CORE.work_genres AS noted);

UPDATE {{ database }}.CORE.work_genres
SET genre_name = newest.named_as
FROM (
    SELECT bridge.genre_key, bridge.named_as
    FROM {{ database }}.CORE.bridge_movie_genre AS bridge
    INNER JOIN {{ database }}.CORE.work_genres AS noted
        ON bridge.genre_key = noted.genre_key
    INNER JOIN {{ database }}.CORE.dim_movie AS versions
        ON bridge.movie_key = versions.movie_key
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY bridge.genre_key
        ORDER BY versions.valid_from DESC, versions.source ASC, versions.movie_id ASC, bridge.position ASC
    ) = 1
) AS newest
WHERE work_genres.genre_key = newest.genre_key;

INSERT INTO {{ database }}.CORE.work_people (person_key)
SELECT DISTINCT bridge.person_key
FROM {{ database }}.CORE.bridge_movie_person AS bridge
INNER JOIN {{ database }}.CORE.work_new AS added
    ON bridge.movie_key = added.movie_key
LEFT JOIN {{ database }}.CORE.dim_person AS known
    ON bridge.person_key = known.person_key AND bridge.credited_as = known.person_name
WHERE
    known.person_key IS NULL
    AND bridge.person_key NOT IN (SELECT noted.person_key FROM {{ database }}.CORE.work_people AS noted);

UPDATE {{ database }}.CORE.work_people
SET person_name = newest.credited_as
FROM (
    SELECT bridge.person_key, bridge.credited_as
    FROM {{ database }}.CORE.bridge_movie_person AS bridge
    INNER JOIN {{ database }}.CORE.work_people AS noted
        ON bridge.person_key = noted.person_key
    INNER JOIN {{ database }}.CORE.dim_movie AS versions
        ON bridge.movie_key = versions.movie_key
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY bridge.person_key
        ORDER BY
            versions.valid_from DESC,
            versions.source ASC,
            versions.movie_id ASC,
            bridge.role ASC,
            bridge.position ASC
    ) = 1
) AS newest
WHERE work_people.person_key = newest.person_key;

-- Genres and people belong to no source and day: what happens to them is noted with the latest day of the run.
INSERT INTO {{ database }}.CORE.work_changes (
    table_name, source, dt, rows_inserted, rows_updated, rows_closed, rows_deleted
)
SELECT
    'dim_genre' AS table_name,
    last_day.source,
    last_day.dt,
    COUNT_IF(known.genre_key IS NULL AND noted.genre_name IS NOT NULL) AS rows_inserted,
    COUNT_IF(known.genre_name <> noted.genre_name) AS rows_updated,
    0 AS rows_closed,
    COUNT_IF(known.genre_key IS NOT NULL AND noted.genre_name IS NULL) AS rows_deleted
FROM {{ database }}.CORE.work_genres AS noted
CROSS JOIN (
    SELECT days.source, days.dt
    FROM {{ database }}.CORE.work_days AS days
    QUALIFY ROW_NUMBER() OVER (ORDER BY days.dt DESC, days.source ASC) = 1
) AS last_day
LEFT JOIN {{ database }}.CORE.dim_genre AS known
    ON noted.genre_key = known.genre_key
GROUP BY last_day.source, last_day.dt
UNION ALL
SELECT
    'dim_person' AS table_name,
    last_day.source,
    last_day.dt,
    COUNT_IF(known.person_key IS NULL AND noted.person_name IS NOT NULL) AS rows_inserted,
    COUNT_IF(known.person_name <> noted.person_name) AS rows_updated,
    0 AS rows_closed,
    COUNT_IF(known.person_key IS NOT NULL AND noted.person_name IS NULL) AS rows_deleted
FROM {{ database }}.CORE.work_people AS noted
CROSS JOIN (
    SELECT days.source, days.dt
    FROM {{ database }}.CORE.work_days AS days
    QUALIFY ROW_NUMBER() OVER (ORDER BY days.dt DESC, days.source ASC) = 1
) AS last_day
LEFT JOIN {{ database }}.CORE.dim_person AS known
    ON noted.person_key = known.person_key
GROUP BY last_day.source, last_day.dt;

DELETE FROM {{ database }}.CORE.dim_genre
USING {{ database }}.CORE.work_genres AS noted
WHERE dim_genre.genre_key = noted.genre_key;

INSERT INTO {{ database }}.CORE.dim_genre (genre_key, genre_name)
SELECT genre_key, genre_name
FROM {{ database }}.CORE.work_genres
WHERE genre_name IS NOT NULL;

DELETE FROM {{ database }}.CORE.dim_person
USING {{ database }}.CORE.work_people AS noted
WHERE dim_person.person_key = noted.person_key;

INSERT INTO {{ database }}.CORE.dim_person (person_key, person_name)
SELECT person_key, person_name
FROM {{ database }}.CORE.work_people
WHERE person_name IS NOT NULL;
